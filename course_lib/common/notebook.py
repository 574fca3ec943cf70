"""What a notebook shows: figures as plain images, interactive panels, progress bars."""

from __future__ import annotations

import base64
import io
import sys

_WIDGET = "application/vnd.jupyter.widget-view+json"


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


def panel(draw, *, alt="", **controls):
    """Show widgets above a picture, and redraw the picture whenever a widget changes.

    The first picture stays in the notebook, for those who read it without a kernel.

    Parameters
    ----------
    draw : callable
        `draw(**values)` returns a matplotlib Figure, made with `Figure()` rather than pyplot.
    alt : str
        One sentence on the first picture, for those who cannot see it.
    **controls : ipywidgets widgets
        By the names of `draw`'s arguments; sliders best with `continuous_update=False`.

    Returns
    -------
    ipywidgets.VBox
        To be the last line of a cell. Where widgets cannot be shown, one line of text stands for it.
    """
    import ipywidgets as widgets

    class Panel(widgets.VBox):
        def __repr__(self):
            return f"An interactive panel ({', '.join(controls)}): run this cell in JupyterLab"

        def _repr_mimebundle_(self, **options):
            still = base64.b64encode(picture.value).decode()
            return {**super()._repr_mimebundle_(**options), "image/png": still}, {"image/png": {"alt": alt}}

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


def progress(iterable=None, *, total=None, desc=None):
    """A tqdm progress bar that disappears when it is finished.

    In a notebook the output that stays is one empty line, whatever the speed, the total or the framework:
    tests compare outputs, and a saved widget would be shown as an error when the notebook is opened again.
    In a terminal the bar goes to standard error.

    Parameters
    ----------
    iterable : iterable, optional
        Without one, call `update(n)` yourself and close the bar, best with `with`.
    total : int, optional
        Needed if the iterable has no length.
    desc : str, optional

    Returns
    -------
    tqdm
    """
    from tqdm.auto import tqdm  # here: it warns at import if ipywidgets is missing

    options = {"total": total, "desc": desc, "leave": False}
    if not in_notebook():
        return tqdm(iterable, **options)
    from IPython.display import display

    class NotebookBar(tqdm):
        def close(self):
            if not self.disable:
                super().close()
                self.shown.update({"text/plain": ""}, raw=True)

    bar = NotebookBar(iterable, display=False, **options)
    widget = bar.container._repr_mimebundle_()[_WIDGET]
    bar.shown = display({"text/plain": "", _WIDGET: widget}, raw=True, display_id=True)
    return bar
