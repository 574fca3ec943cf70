"""What a shop has written down: who bought what, when. A real one, Online Retail, and a simulated one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from course_lib.common import checks, data
from course_lib.common.config import whole
from course_lib.common.files import atomic_write
from course_lib.recommendation.shop import SIZE, directions

DAY = 86_400.0  # seconds
CODE = re.compile(r"\d{5}[A-Za-z]*$")  # of a product; POST, M, BANK CHARGES and the like are none
COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID")


@dataclass(frozen=True)
class ShopLog:
    """Purchases: in row r, user[r] bought item[r] in basket[r] at time[r]; no item is in a basket twice.

    Numbers count from 0, and rows are in the order of time.
    """

    user: np.ndarray  # (R,) int
    item: np.ndarray  # (R,) int
    basket: np.ndarray  # (R,) int
    time: np.ndarray  # (R,) float, seconds since the beginning of 1970
    names: tuple[str, ...]  # of the items

    def __post_init__(self):
        rows = len(checks.array("user", self.user, ("R",), kind="whole"))
        for name in ("user", "item", "basket", "time"):
            kind = "real" if name == "time" else "whole"
            low = -np.inf if name == "time" else 0
            object.__setattr__(self, name, checks.array(name, getattr(self, name), (rows,), kind=kind, low=low))
        if (np.diff(self.time) < 0).any():
            raise ValueError(f"time: expected times that never fall, got a step of "
                             f"{np.diff(self.time).min():g} seconds")
        for name, numbers in (("user", self.user), ("basket", self.basket)):
            if numbers.max() > 2 * len(np.unique(numbers)) + 10_000:
                raise ValueError(f"{name}: expected numbers from 0 without large gaps, got up to {numbers.max():,} of "
                                 f"{len(np.unique(numbers)):,} {name}s; "
                                 f"np.unique({name}, return_inverse=True)[1] counts them anew")
        if self.item.max() >= len(self.names):
            raise ValueError(f"names: expected one for each item, got {len(self.names)} for {self.item.max() + 1}")

    def __len__(self):
        return len(self.user)

    @property
    def users(self):
        """How many users there are."""
        return int(self.user.max()) + 1

    @property
    def items(self):
        """How many items there are."""
        return len(self.names)


def load_online_retail(path=None):
    """A year of a British wholesaler of gifts: Online Retail, cleaned.

    Kept are rows with a customer, of invoices that were not cancelled (a C before the number), with a quantity and a
    price above 0 and the code of a product (five digits, perhaps letters); each item once an invoice. Reading the
    original takes half a minute, so what is left is written beside it, as `online_retail_clean.npz`.

    Parameters
    ----------
    path : path, optional
        Of `onlineretail.rda`; by default it is downloaded once and checked, see `data.fetch`.

    Returns
    -------
    ShopLog
        386,326 rows, 4,334 users, 3,659 items, 18,402 baskets.

    Raises
    ------
    ValueError
        If the file has not the columns that it should have.
    ConnectionError
        If the download fails; `simulate_log` needs none.

    References
    ----------
    Chen, Sain & Guo 2012, "Data mining for the online retail industry".
    """
    path = data.fetch("online_retail") if path is None else Path(path)
    if not path.exists():
        raise ValueError(f"{path}: expected the file onlineretail.rda, found nothing")
    kept = path.with_name(f"online_retail_clean_{path.stat().st_size}.npz")
    if not kept.exists():
        columns = clean(_read(path))
        try:
            with atomic_write(kept) as file:
                np.savez_compressed(file, **columns)
        except OSError:  # a folder that cannot be written to
            return ShopLog(**columns | {"names": tuple(columns["names"])})
    with np.load(kept, allow_pickle=False) as found:
        return ShopLog(**{name: found[name] for name in found.files if name != "names"},
                       names=tuple(map(str, found["names"])))


def _read(path):
    """The table of an .rda file as a dict of arrays."""
    import warnings

    import rdata

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it knows no constructor for R's times, and gives seconds: as it should
            table = next(iter(rdata.read_rda(path).values()))
        return {name: table[name].to_numpy(dtype=float if name in ("Quantity", "InvoiceDate", "UnitPrice", "CustomerID")
                                           else object, na_value=np.nan) for name in COLUMNS}
    except Exception as error:
        raise ValueError(f"{path}: expected an .rda file of a table with columns {', '.join(COLUMNS)}, "
                         f"got {type(error).__name__}: {str(error):.200}") from error


def clean(table):
    """The columns of a `ShopLog` from those of Online Retail, a dict of arrays (R,); the rules stand above."""
    customer, quantity, price = (table[name] for name in ("CustomerID", "Quantity", "UnitPrice"))
    invoice, code = (np.array([str(value) for value in table[name]]) for name in ("InvoiceNo", "StockCode"))
    good = ~np.isnan(customer) & (quantity > 0) & (price > 0) & ~np.char.startswith(invoice, "C")
    product = {value: bool(CODE.match(value)) for value in np.unique(code)}
    rows = np.flatnonzero(good & np.array([product[value] for value in code]))
    _, first = np.unique(np.char.add(np.char.add(invoice[rows], " "), code[rows]), return_index=True)
    rows = rows[np.sort(first)]
    rows = rows[np.argsort(table["InvoiceDate"][rows], kind="stable")]
    codes, start, item = np.unique(code[rows], return_index=True, return_inverse=True)
    names = [f"{value} {str(table['Description'][rows[at]]).strip()}" for value, at in zip(codes, start, strict=True)]
    return {"user": np.unique(customer[rows], return_inverse=True)[1], "item": item,
            "basket": np.unique(invoice[rows], return_inverse=True)[1],
            "time": table["InvoiceDate"][rows].astype(float), "names": np.array(names)}


def simulate_log(*, users=400, items=200, days=365, seed=0):
    """A `ShopLog` from stated rules, for when there is no file.

    An item is like a vector of length 1, and some sell ten times better than others; half of them are sold for a season
    of 60 to 180 days only. A user has a taste and visits every 10 to 60 days. A basket has 1 to 12 items, drawn
    without repeats with odds e^(4 taste * item) times how well the item sells, and 6 times more if bought before.
    """
    if not all(whole(value, least) for value, least in ((users, 1), (items, 20), (days, 1))):
        raise ValueError(f"users, items, days: expected whole numbers >= 1, 20 and 1, got {users}, {items} and {days}")
    rng = np.random.default_rng(checks.seed(seed))
    like, taste = (directions(rng.normal(size=(count, SIZE))) for count in (items, users))
    sells, start = 10 ** rng.random(items), rng.uniform(-60, days, items)
    end = np.where(rng.random(items) < 0.5, np.inf, start + rng.uniform(60, 180, items))
    start[np.isinf(end)] = -np.inf
    visits, gap = [], rng.uniform(10, 60, users)
    for user in range(users):
        moments = rng.uniform(0, gap[user]) + rng.exponential(gap[user], size=days).cumsum()
        visits += [(moment, user) for moment in moments[moments < days]]
    bought, rows = np.zeros((users, items), bool), []
    for basket, (moment, user) in enumerate(sorted(visits)):
        odds = np.exp(4 * like @ taste[user]) * sells * np.where(bought[user], 6, 1)
        odds *= (start <= moment) & (moment < end)
        count = min(int(rng.integers(1, 13)), int((odds > 0).sum()))
        chosen = rng.choice(items, size=count, replace=False, p=odds / odds.sum())
        bought[user, chosen] = True
        rows += [(user, item, basket, moment * DAY) for item in chosen]
    user, item, basket, time = np.array(rows).T
    return ShopLog(user.astype(int), item.astype(int), basket.astype(int), time,
                   tuple(f"item {i}" for i in range(items)))
