"""Where output goes: is this a notebook, and a figure as a plain image."""

from __future__ import annotations

import io
import sys


def in_notebook():
    """Whether this process is a Jupyter kernel (IPython is looked at, never imported)."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return hasattr(shell, "kernel")


def png(figure, *, dpi=100):
    """The PNG bytes of a matplotlib Figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, bbox_inches="tight")
    return buffer.getvalue()


def image(data, *, alt, width=None):
    """Wrap PNG bytes for display in a notebook.

    A notebook test compares text and HTML outputs but not PNG images, so what differs from run to run or from
    machine to machine is shown in this way.

    Parameters
    ----------
    data : bytes
    alt : str
        One sentence for those who cannot see the picture.
    width : int, optional
        In pixels.

    Returns
    -------
    IPython.display.Image
    """
    from IPython.display import Image

    return Image(data=data, format="png", alt=alt, width=width)
