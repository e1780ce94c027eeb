"""DATEX II traffic regulations, written in the form that `datex` reads and DiaLog publishes."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

from helpers.connect.datex import KINDS, Only, Order, Period, Regulation, Span
from helpers.core.base.errors import PhareError

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<d2:payload modelBaseVersion="3" lang="FR" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:d2="http://datex2.eu/schema/3/d2Payload" '
    'xmlns:com="http://datex2.eu/schema/3/common" '
    'xmlns:loc="http://datex2.eu/schema/3/locationReferencing" '
    'xmlns:dx="https://raw.githubusercontent.com/MTES-MCT/dialog/main/docs/spec/datex2" '
    'xmlns="http://datex2.eu/schema/3/trafficRegulation" '
    'xsi:type="TrafficRegulationPublication"'
)
# what says whom it is for: the condition that holds it, outside the vehicle's characteristics
CONDITIONS = {
    "accessConditionType": "AccessCondition",
    "nonVehicularRoadUser": "NonVehicularRoadUserCondition",
}
# what a vehicle is: the element of `com` around it, if any
AROUND = {
    "vehicleType": "", "vehicleUsage": "", "loadType": "",
    "emissionClassificationOther": "emissions", "vehicleHeight": "heightCharacteristic",
    "vehicleLength": "lengthCharacteristic", "vehicleWidth": "widthCharacteristic",
    "grossVehicleWeight": "grossWeightCharacteristic",
    "otherVehicleType": "_vehicleCharacteristicsExtension",
}  # fmt: skip


def write(orders: Iterable[Order], published: str, authority: str, name: str) -> bytes:
    """Return a publication: the same orders, the same bytes.

    `published` is its moment (ISO 8601 with an offset), `authority` who makes the orders, `name`
    the publication's identifier. PhareError where an order has what this form cannot say.
    """
    body = "".join(_order(one, authority) for one in orders)
    creator = _com("country", "fr") + _com("nationalIdentifier", escape(authority))
    return (
        f"{HEAD} id={quoteattr(name)}>{_com('publicationTime', escape(published))}"
        f"{_com('publicationCreator', creator)}"
        f"{_in('trafficRegulationsFromCompetentAuthorities', body)}</d2:payload>\n"
    ).encode()


def _in(name: str, inside: str, of_type: str = "") -> str:
    kind = f' xsi:type="{of_type}"' if of_type else ""
    return f"<{name}{kind}>{inside}</{name.partition(' ')[0]}>"


def _com(name: str, inside: str) -> str:
    return _in(f"com:{name}", inside)


def _order(order: Order, authority: str) -> str:
    told = _in("issuingAuthority", _com("values", _com("value", escape(authority))))
    told += _in("regulationId", escape(order.number)) + _in("status", escape(order.status))
    told += _validity(order.span) if order.span.start else ""
    told += "".join(map(_regulation, order.regulations))
    return _in(f'trafficRegulationOrder id={quoteattr(order.id)} version="1"', told)


def _validity(span: Span) -> str:
    told = _com("overallStartTime", escape(span.start))
    told += _com("overallEndTime", escape(span.end)) if span.end else ""
    told += "".join(map(_period, span.periods))
    status = _com("validityStatus", "definedByValidityTimeSpec")
    return _in("validityByOrder", status + _com("validityTimeSpecification", told))


def _period(period: Period) -> str:
    told = "".join(
        _com("recurringTimePeriodOfDay", _com("startTimeOfPeriod", escape(start))
             + _com("endTimeOfPeriod", escape(end)))
        for start, end in period.hours
    )  # fmt: skip
    days = "".join(_com("applicableDay", escape(day)) for day in period.days)
    return _com("validPeriod", told + (_com("recurringDayWeekMonthPeriod", days) if days else ""))


def _regulation(one: Regulation) -> str:
    if one.kind not in KINDS:
        raise PhareError(
            "sorte de restriction que cette forme ne sait pas dire",
            "arrêtés à écrire en DATEX II", f"choisir parmi : {', '.join(KINDS)}",
        )  # fmt: skip
    of_type, element, value = KINDS[one.kind]
    inside = _in(element, value)
    if one.kind == "speedLimitation":
        inside = _in(element, _in("numericValue", escape(one.speed)) + _in("unitOfMeasure", value))
    sets = [
        _set("or", [_in("conditions", _validity(span), "ValidityCondition") for span in one.spans]),
        _set("or", [_in("conditions", _place(text), "LocationCondition") for text in one.places]),
        _set("or", [_whom(whom) for whom in one.only]),
    ]
    told = _in("status", "active") + _in("typeOfRegulation", inside, of_type)
    conditions = "".join(_in("conditions", held, "ConditionSet") for held in sets if held)
    if conditions:
        told += _in("condition", _in("operator", "and") + conditions, "ConditionSet")
    return _in("trafficRegulation", told)


def _set(operator: str, conditions: list[str]) -> str:
    return _in("operator", operator) + "".join(conditions) if conditions else ""


def _place(text: str) -> str:
    geometry = _in("dx:geoJsonGeometry", escape(text))
    linear = _in("loc:_linearLocationExtension", _in("loc:linearLocationExtended", geometry))
    described = _in("loc:supplementaryPositionalDescription", "")
    return _in("locationByOrder", described + linear, "loc:LinearLocation")


def _whom(whom: Only) -> str:
    negate = _in("negate", "true" if whom.exempt else "false")
    names = [name for name, _ in whom.parts]
    if names[0] in CONDITIONS and len(names) == 1:
        inside = _in(names[0], escape(whom.parts[0][1]))
        return _in("conditions", negate + inside, CONDITIONS[names[0]])
    if any(name not in AROUND for name in names):
        raise PhareError(
            "condition que cette forme ne sait pas dire",
            "arrêtés à écrire en DATEX II", "laisser cet arrêté à l'éditeur d'où il vient",
        )  # fmt: skip
    held = _in("vehicleCharacteristics", "".join(_characteristic(*one) for one in whom.parts))
    return _in("conditions", negate + held, "VehicleCondition")


def _characteristic(name: str, value: str) -> str:
    around = AROUND[name]
    if name == "otherVehicleType":
        return _com(
            around, _com("vehicleCharacteristicsExtended", _in(f"dx:{name}", escape(value)))
        )
    inside = _com(name, escape(value))
    if around.endswith("Characteristic"):
        inside = _com("comparisonOperator", "lessThanOrEqualTo") + inside
    if name == "grossVehicleWeight":
        inside += _com("typeOfWeight", "maximumPermitted")
    return _com(around, inside) if around else inside
