"""Progress bars."""

from __future__ import annotations

from course_lib.common.notebook import in_notebook

_WIDGET = "application/vnd.jupyter.widget-view+json"


def bar(iterable=None, *, total=None, desc=None):
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

    progress = NotebookBar(iterable, display=False, **options)
    widget = progress.container._repr_mimebundle_()[_WIDGET]
    progress.shown = display({"text/plain": "", _WIDGET: widget}, raw=True, display_id=True)
    return progress
