"""Interactive panels: sliders and switches above a picture that is drawn anew when one changes."""

from __future__ import annotations


def panel(draw, **controls):
    """Show widgets above a picture, and redraw the picture whenever a widget changes.

    Parameters
    ----------
    draw : callable
        `draw(**values)` returns a matplotlib Figure, made with `Figure()` rather than pyplot.
    **controls : ipywidgets widgets
        By the names of `draw`'s arguments; sliders best with `continuous_update=False`.

    Returns
    -------
    ipywidgets.VBox
        To be the last line of a cell. Where widgets cannot be shown, one line of text stands for it.
    """
    import ipywidgets as widgets

    from course_lib.common.notebook import png

    class Panel(widgets.VBox):
        def __repr__(self):
            return f"An interactive panel ({', '.join(controls)}): run this cell in JupyterLab"

    picture, status = widgets.Image(format="png", layout={"width": "max-content"}), widgets.Label()

    def redraw(_=None):
        status.value = "working ..."
        try:
            picture.value = png(draw(**{name: control.value for name, control in controls.items()}))
            status.value = ""
        except Exception as error:  # shown to the learner: widgets would swallow it
            status.value = f"{type(error).__name__}: {error}"
            raise

    for control in controls.values():
        control.observe(redraw, names="value")
    redraw()
    rows = widgets.HBox(list(controls.values()), layout={"flex_flow": "row wrap"})
    return Panel([rows, status, picture])
