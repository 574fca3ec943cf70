"""What every topic may use. No module here knows a topic, and importing one changes nothing."""
