"""The knobs of the simulated deliveries: blocks `sources`, `outages`, `renamings` of a pack's
`simulation.yaml`. Rates are shares of lines, delays minutes or days, distances metres.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from helpers.core.base.yaml_models import Strict
from helpers.simulate.settings_counting import Counting
from helpers.simulate.settings_planted import Shock
from helpers.simulate.streams import Floats

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Weights = dict[str, Annotated[float, Field(ge=0)]]
Initiator = Literal["citizen", "agent", "other"]
Origins = dict[Initiator, Weights]


class Defects(Strict):
    """How often each defect strikes, as a share of the lines (days for the delays).

    `dst_hour` is a share of the lines of the days on which summer time begins. Of the second
    versions that `duplicate` counts, `corrected_share` are later corrections, the rest repeats.
    """

    no_place: Share = 0
    default_point: Share = 0
    quarter_only: Share = 0
    swapped: Share = 0
    duplicate: float = Field(default=0, ge=0, lt=0.5)
    corrected_share: Share = 0
    unknown_code: Share = 0
    wrong_category: Share = 0
    dst_hour: Share = 0
    late: Share = 0
    late_after_days: int = Field(default=30, ge=0)
    late_gamma_shape: Positive = 1
    late_gamma_scale_days: Positive = 1
    personal: Share = 0


class DefaultPoint(Strict):
    """A point that stands in for an unknown place (degrees), and how often of all of them."""

    title: str
    longitude: float
    latitude: float
    share: Share


class Outage(Strict):
    """A source silent between two days, both included; in one district alone if one is named."""

    title: str
    source: str
    start: dt.date
    end: dt.date
    district: str | None = None


class Fading(Strict):
    """A source of which less and less reaches us from a day on, or a share alone.

    The share `kept` is delivered, or half as much every `half_life_days`; in one district, or from
    one initiator alone, if they are named.
    """

    title: str
    source: str
    start: dt.date
    district: str | None = None
    initiator: Initiator | None = None
    kept: Share = 1.0
    half_life_days: Positive | None = None


class Renaming(Strict):
    """A code of a list written otherwise from a day on, but for a share of strays."""

    title: str
    source: str
    column: str
    old: str
    new: str
    start: dt.date
    stray_share: Share = 0


class Gamma(Strict):
    """A gamma law: shape, and scale in the unit that the name of the knob ends with."""

    shape: Positive
    scale: Positive

    def draw(self, rng: np.random.Generator, size: int) -> Floats:
        """Return `size` numbers of this law."""
        return np.asarray(rng.gamma(self.shape, self.scale, size), dtype=np.float64)


class Source(Strict):
    """What every simulated source of facts has. `personal_columns` are weights."""

    id_prefix: str
    place_sd_m: float = Field(ge=0)
    defects: Defects
    unknown_codes: tuple[str, ...] = ()
    personal_columns: Weights = Field(default_factory=dict)


class MainCourante(Source):
    """The municipal police log: intervals, delays of entry, descriptive attributes."""

    interval_share: Share
    interval_median_min: Positive
    interval_log_sd: Positive
    entry_delay_mean_min: Positive
    correction_days: Gamma
    origins: Origins
    attributes: dict[str, Weights]


class Intervention(Source):
    """Dispatches: the share of log entries that have one, by who started them."""

    share: dict[Initiator, Share]
    natures: dict[str, str]
    priorities: dict[str, str]
    id_given_share: Share
    call_delay_min: Gamma
    engage_min: Gamma
    travel_min: Gamma
    on_site_min: Gamma
    nobody_sent_share: Share
    attributes: dict[str, Weights]


class Report(Strict):
    """An object of citizens' reports: its family, its service, its share of reports alone."""

    family: str
    service: str
    share: float = Field(ge=0)


class Signalement(Source):
    """Citizens' reports. `seen` gives incident → the chance that somebody reports it, and as what.

    Reports of an incident number Poisson (several citizens may report one); the others, up to
    `records_per_year`, tell facts that no other source sees.
    """

    records_per_year: Positive
    objects: dict[str, Report]
    seen: dict[str, tuple[Share, tuple[str, ...]]]
    delay_min: Gamma
    resolution_days: Gamma
    target_days: int = Field(gt=0)
    rejected_share: Share
    recognised_share: Share
    channels: Weights


class Family(Strict):
    """A family of fines: share, class of the offence, fictive NATINF numbers."""

    share: Positive
    level: int = Field(ge=1, le=5)
    natinf: tuple[int, ...] = Field(min_length=1)
    after: tuple[str, ...]


class Pve(Source):
    """Electronic fines. They follow the kinds of incidents that agents meet (`after`)."""

    records_per_year: Positive
    families: dict[str, Family]
    modes: Weights
    cancelled_share: Share
    removal_share: Share
    from_log_share: Share


class Fourriere(Source):
    """Removals; a stated share follows a fine."""

    records_per_year: Positive
    reasons: Weights
    collected_days: Gamma
    kept_share: Share


class Window(Strict):
    """A legal window of the smart video: the order, first and last hour (local wall clock)."""

    order: str
    start: dt.datetime
    end: dt.datetime

    @model_validator(mode="after")
    def _ordered(self) -> Window:
        if self.end <= self.start:
            raise ValueError("la fenêtre finit avant de commencer")
        return self


class Alerts(Strict):
    """Hourly counts of smart video in the quarters with most cameras."""

    zones: int = Field(gt=0)
    windows: tuple[Window, ...]
    outside_window_share: Share
    seen: dict[str, tuple[Share, str]]
    false_per_zone_day: float = Field(ge=0)
    false_types: Weights
    confirmed_share: Share


class Ahead(Strict):
    """What is already filed of the days after the period, more of it faulty: it is for checks."""

    days: int = Field(ge=1, le=365)
    incompatible_share: Share
    missing_measure_share: Share


class Events(Strict):
    """Events' files: measures a thousand people, and what is planted for a check to find."""

    ahead: Ahead

    incompatible_share: Share
    missing_measure_share: Share
    orders_per_event: float = Field(ge=0)


class Service(Strict):
    """Means and shifts: length of the slots, kinds of crews; cameras."""

    slot_hours: dict[str, Positive]
    crews: Weights
    cameras: int = Field(gt=0)
    means: dict[str, int]


class Forecasts(Strict):
    """Weather forecasts: hours of issue (UTC), reach and step (hours), error at one day."""

    station: str
    issued_h: tuple[int, ...]
    reach_h: int = Field(gt=0)
    step_h: int = Field(gt=0)
    error_c: float = Field(ge=0)


class ZoneContext(Strict):
    """What quarters hold: the city's inhabitants, e times fewer a km² every `falls_m` metres away
    from the town hall."""

    inhabitants: int = Field(gt=0)
    falls_m: Positive


class Indicator(Strict):
    """An indicator of recorded crime: its unit, and the city's yearly number."""

    unit: str
    yearly: Positive


class RecordedCrime(Strict):
    """The yearly statistic of recorded crime; positive numbers below `secret_below` are hidden."""

    years: tuple[int, ...]
    inhabitants: int = Field(gt=0)
    yearly_change: float
    secret_below: int = Field(ge=0)
    indicators: dict[str, Indicator]


class PartnerIndicator(Strict):
    """A partner's indicator: cases a month and district, and its agreement's threshold k."""

    partner: str
    monthly: Positive
    k: int = Field(ge=1)


class Partners(Strict):
    """What partners send; `below_k_share` of the numbers below k slip through."""

    indicators: dict[str, PartnerIndicator]
    below_k_share: Share


class Age(Strict):
    """An age band: its share of adults, its own log odds of feeling quiet, how often it answers."""

    share: Positive
    log_odds: float
    answer_rate: Share


class Survey(Strict):
    """The survey of how quiet people feel. `per_…` are effects on the log odds.

    Of those who are asked, the age's rate times `answers_if_quiet` or `answers_if_not` answer.
    """

    waves: tuple[dt.date, ...] = Field(min_length=1)
    answers_a_wave: int = Field(gt=0)
    adult_share: Share
    ages: dict[str, Age] = Field(min_length=1)
    quiet_share: Share
    per_doubling: float
    per_ten_points_lit: float
    per_year: float
    place_sd: float = Field(ge=0)
    answers_if_quiet: Positive
    answers_if_not: Positive
    secret_below: int = Field(ge=0)


class Sources(Strict):
    """The block `sources`."""

    default_points: tuple[DefaultPoint, ...] = Field(min_length=1)
    outages: tuple[Outage, ...] = ()
    fadings: tuple[Fading, ...] = ()
    renamings: tuple[Renaming, ...] = ()
    shocks: tuple[Shock, ...] = ()
    main_courante: MainCourante
    intervention: Intervention
    signalement: Signalement
    pve: Pve
    fourriere: Fourriere
    vsi_alerte_agregee: Alerts
    evenement: Events
    service: Service
    meteo: Forecasts
    contexte_zone: ZoneContext
    ssmsi_commune: RecordedCrime
    partenaire_agrege: Partners
    enquete_tranquillite: Survey
    comptage: Counting

    @model_validator(mode="after")
    def _counted(self) -> Sources:
        named = {site for one in self.shocks for site in one.sites}
        if unknown := sorted(named - self.comptage.sites.keys()):
            raise ValueError(f"shocks : points inconnus : {', '.join(unknown)}")
        return self

    def named_kinds(self) -> set[str]:
        """Return the kinds of incidents that the sources name."""
        named = {*self.intervention.natures, *self.intervention.priorities, *self.signalement.seen}
        named |= set(self.vsi_alerte_agregee.seen)
        return named | {kind for one in self.pve.families.values() for kind in one.after}
