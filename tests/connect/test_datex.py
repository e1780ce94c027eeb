"""DATEX II orders: against documents made as DiaLog's own template writes them, and its schema.

Names and their order are those of DiaLog's XSD of DATEX II 3.3 (docs/spec/datex2 of the repository
MTES-MCT/dialog) and of its template (templates/api/regulations.xml.twig), written down by hand.
"""

from __future__ import annotations

import datetime as dt
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from helpers.collect import gate
from helpers.connect import datex, datex_written
from helpers.connect.datex import Only, Order, Period, Regulation, Span
from helpers.core.base import store
from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from helpers.ingest.sort_rows import sort_rows
from helpers.workshop import datex_export
from tests.fixtures.real import COLLECT, ROOT
from tests.fixtures.simulated import PACK

SECRET = "Duhamel-Imaginaire"
OPEN = """<?xml version="1.0" encoding="UTF-8"?>
<d2:payload modelBaseVersion="3" lang="FR" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xmlns:d2="http://datex2.eu/schema/3/d2Payload" xmlns:com="http://datex2.eu/schema/3/common"
 xmlns:loc="http://datex2.eu/schema/3/locationReferencing"
 xmlns:dx="https://raw.githubusercontent.com/MTES-MCT/dialog/main/docs/spec/datex2"
 xmlns="http://datex2.eu/schema/3/trafficRegulation" xsi:type="TrafficRegulationPublication" id="x">
<com:publicationTime>2026-01-02T10:00:00+01:00</com:publicationTime>
<trafficRegulationsFromCompetentAuthorities>"""
CLOSE = "</trafficRegulationsFromCompetentAuthorities></d2:payload>"
TYPES = {
    "noEntry": '<typeOfRegulation xsi:type="AccessRestriction"><accessRestrictionType>noEntry'
               "</accessRestrictionType></typeOfRegulation>",
    "speedLimitation": '<typeOfRegulation xsi:type="SpeedLimit"><maxValue><numericValue>30'
                       "</numericValue><unitOfMeasure>kilometresPerHour</unitOfMeasure></maxValue>"
                       "</typeOfRegulation>",
    "parkingProhibited": '<typeOfRegulation xsi:type="StandingOrParkingRestriction">'
                         "<standingOrParkingRestrictionType>parkingProhibited"
                         "</standingOrParkingRestrictionType></typeOfRegulation>",
    "alternateRoad": '<typeOfRegulation xsi:type="RoadOrCarriagewayOrLaneManagement">'
                     "<roadOrCarriagewayOrLaneManagementType>singleAlternateLineTraffic"
                     "</roadOrCarriagewayOrLaneManagementType></typeOfRegulation>",
    "noOvertaking": '<typeOfRegulation xsi:type="GeneralInstructionToRoadUsers">'
                    "<generalInstructionToRoadUsersType>noOvertaking"
                    "</generalInstructionToRoadUsersType></typeOfRegulation>",
}  # fmt: skip
LINE = '{"type":"LineString","coordinates":[[5.39,43.27],[5.40,43.27]]}'
SPAN = ("2026-01-10T18:00:00+01:00", "2026-01-11T02:00:00+01:00")


def validity(start: str, end: str, more: str = "") -> str:
    last = f"<com:overallEndTime>{end}</com:overallEndTime>" if end else ""
    return (
        "<validityByOrder><com:validityStatus>definedByValidityTimeSpec</com:validityStatus>"
        f"<com:validityTimeSpecification><com:overallStartTime>{start}</com:overallStartTime>{last}"
        f"{more}</com:validityTimeSpecification></validityByOrder>"
    )


def located(geometry: str) -> str:
    return (
        '<conditions xsi:type="LocationCondition"><locationByOrder xsi:type="loc:LinearLocation">'
        "<loc:supplementaryPositionalDescription><loc:roadInformation><loc:roadName>"
        f"Rue {SECRET}</loc:roadName></loc:roadInformation>"
        "</loc:supplementaryPositionalDescription>"
        "<loc:_linearLocationExtension><loc:linearLocationExtended>"
        f"<dx:geoJsonGeometry>{geometry}</dx:geoJsonGeometry></loc:linearLocationExtended>"
        "</loc:_linearLocationExtension></locationByOrder></conditions>"
    )


def regulation(kind: str, places: str = "", whom: str = "", spans: str = "") -> str:
    sets = "".join(
        f'<conditions xsi:type="ConditionSet"><operator>or</operator>{one}</conditions>'
        for one in (spans, places or located(LINE), whom) if one
    )  # fmt: skip
    return (
        f"<trafficRegulation><status>active</status>{TYPES[kind]}<condition "
        f'xsi:type="ConditionSet"><operator>and</operator>{sets}</condition></trafficRegulation>'
    )


def order(number: int, *regulations: str, span: tuple[str, str] = SPAN,
          status: str = "madeAndImplemented") -> str:  # fmt: skip
    return (
        f'<trafficRegulationOrder id="0195b2c0-0000-7000-8000-{number:012d}" version="1">'
        f"<description><com:values><com:value>Arrêté de M. {SECRET}</com:value></com:values>"
        "</description><issuingAuthority><com:values><com:value>Ville</com:value></com:values>"
        f"</issuingAuthority><regulationId>2026/{number}</regulationId><status>{status}</status>"
        f"{validity(*span)}{''.join(regulations)}</trafficRegulationOrder>"
    )


HGV = (
    '<conditions xsi:type="VehicleCondition"><negate>false</negate><vehicleCharacteristics>'
    "<com:vehicleType>heavyGoodsVehicle</com:vehicleType><com:grossWeightCharacteristic>"
    "<com:comparisonOperator>lessThanOrEqualTo</com:comparisonOperator><com:grossVehicleWeight>3.5"
    "</com:grossVehicleWeight><com:typeOfWeight>maximumPermitted</com:typeOfWeight>"
    "</com:grossWeightCharacteristic></vehicleCharacteristics></conditions>"
)
SPARED = (
    '<conditions xsi:type="VehicleCondition"><negate>true</negate><vehicleCharacteristics>'
    "<com:vehicleUsage>emergencyServices</com:vehicleUsage></vehicleCharacteristics></conditions>"
)
NIGHTS = (
    "<com:validPeriod><com:recurringTimePeriodOfDay><com:startTimeOfPeriod>20:00:00+01:00"
    "</com:startTimeOfPeriod><com:endTimeOfPeriod>06:00:00+01:00</com:endTimeOfPeriod>"
    "</com:recurringTimePeriodOfDay><com:recurringDayWeekMonthPeriod><com:applicableDay>friday"
    "</com:applicableDay></com:recurringDayWeekMonthPeriod></com:validPeriod>"
)
SUMMER = "2026-07-10T18:00:00+02:00", "2026-07-11T02:00:00Z"
FAR = '{"type":"Point","coordinates":[5.3744,43.2955]}'
GIVEN = [
    order(1, regulation("noEntry", whom=SPARED), regulation("parkingProhibited")),
    order(2, regulation("speedLimitation", located(LINE) + located(FAR)), span=SUMMER),
    order(3, regulation("alternateRoad",
                        spans=f'<conditions xsi:type="ValidityCondition">{validity(*SPAN, NIGHTS)}'
                              "</conditions>")),
    order(4, regulation("noEntry", whom=HGV)),
    order(5, regulation("noOvertaking")),
    order(6, regulation("noEntry"), status="withdrawn"),
    order(7, regulation("noEntry"), span=(SPAN[0], "")),
]  # fmt: skip
DOCUMENT = (OPEN + "".join(GIVEN) + CLOSE).encode()


# --- Reading ------------------------------------------------------------------------------------


def test_each_of_the_four_kinds_is_read_and_the_others_keep_their_name() -> None:
    rows = [row for row, _ in datex.rows_of(datex.parse(DOCUMENT))]
    assert [row["kind"] for row in rows] == [
        "noEntry", "parkingProhibited", "speedLimitation", "speedLimitation", "alternateRoad",
        "noEntry_some", "GeneralInstructionToRoadUsers/noOvertaking", "withdrawn", "noEntry",
    ]  # fmt: skip
    assert [row["speed"] for row in rows][2:4] == ["30", "30"]
    assert [row["recurring"] for row in rows].count("1") == 1
    assert len({row["id"] for row in rows}) == len(rows)
    assert SECRET not in json.dumps(rows)


def taken(paths: list[Path], folder: Path) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Return the rows of the city's own contract, accepted, and the count of each other fate."""
    city = City(PACK)
    contract = city.contracts["arrete"]
    door = gate.Gate(city.key(folder), COLLECT.place_step_m)
    gate.take_in(door, contract, paths, folder / "raw")
    fates = sort_rows(store.connect(), contract, folder / "raw/arrete.parquet", folder,
                      city.about.timezone)  # fmt: skip
    rows = duckdb.sql(f"SELECT * FROM '{folder}/accepted/arrete.parquet'").to_arrow_table()
    for path in (folder / "raw").iterdir():
        assert SECRET.encode() not in path.read_bytes()
    return rows.to_pylist(), {k: v for k, v in fates.items() if k != "accepted"}


def test_the_city_s_contract_takes_them_in_and_tells_what_it_sets_aside(tmp_path: Path) -> None:
    path = tmp_path / "arrete.xml"
    path.write_bytes(DOCUMENT)
    rows, aside = taken([path], tmp_path)
    assert aside == {"hors_liste:type": 3, "manquant:effet_fin": 1}
    assert [row["type"] for row in rows] == [
        "circulation", "stationnement", "limitation_vitesse", "limitation_vitesse", "alternat"
    ]  # fmt: skip
    wall = [(row["effet_debut"], row["effet_fin"]) for row in rows]
    assert wall[0] == (dt.datetime(2026, 1, 10, 18), dt.datetime(2026, 1, 11, 2))
    assert wall[2] == (dt.datetime(2026, 7, 10, 18), dt.datetime(2026, 7, 11, 4))  # 2 h UTC
    # A hundredth of a degree of longitude at 43.27°: 811 m by the cosine; half of it on each side.
    assert 400 <= rows[0]["rayon_m"] <= 412
    assert (rows[3]["rayon_m"], round(rows[3]["latitude"], 2)) == (0, 43.30)
    assert abs(rows[0]["longitude"] - 5.395) < 0.003


def test_a_place_told_by_two_points_of_a_road_is_the_line_between_them() -> None:
    point = "<loc:pointCoordinates><loc:latitude>{}</loc:latitude><loc:longitude>{}</loc:longitude></loc:pointCoordinates>"  # noqa: E501
    place = (
        '<conditions xsi:type="LocationCondition"><locationByOrder '
        'xsi:type="loc:SingleRoadLinearLocation"><loc:linearWithinLinearElement>'
        f"<loc:fromPoint>{point.format(43.27, 5.39)}</loc:fromPoint>"
        f"<loc:toPoint>{point.format(43.28, 5.39)}</loc:toPoint>"
        "</loc:linearWithinLinearElement></locationByOrder></conditions>"
    )
    document = (OPEN + order(1, regulation("noEntry", place)) + CLOSE).encode()
    ((_, geometry),) = datex.rows_of(datex.parse(document))
    assert json.loads(geometry) == {
        "type": "LineString", "coordinates": [[5.39, 43.27], [5.39, 43.28]]
    }  # fmt: skip


@pytest.mark.parametrize(
    "document",
    [
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>',
        b'<!DOCTYPE x SYSTEM "file:///etc/hostname"><x/>',
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'.encode(
            "utf-16"
        ),
        DOCUMENT.replace(b"?>", b'?><!DOCTYPE p [<!ENTITY e SYSTEM "/etc/passwd">]>', 1),
        b"<html><body>Erreur 500</body></html>", b"", b"\xff\xfe\x00", DOCUMENT[:-9],
        DOCUMENT.replace(b"TrafficRegulationPublication", b"SituationPublication"),
    ],
)  # fmt: skip
def test_no_entity_is_ever_read_and_what_is_no_publication_is_told(document: bytes) -> None:
    with pytest.raises(PhareError) as told:
        datex.parse(document)
    assert SECRET not in str(told.value)


@pytest.mark.parametrize("document", [b"<!DOCTYPE x><x/>", DOCUMENT[:-9]])
def test_what_is_read_in_no_form_of_the_contract_is_told_of_each(
    document: bytes, tmp_path: Path
) -> None:
    """The city's orders come as GeoJSON or as DATEX II: a bad one is not called GeoJSON alone."""
    path = tmp_path / "arrete.xml"
    path.write_bytes(document)
    with pytest.raises(PhareError, match=r"lu comme datex : .*DATEX II") as told:
        taken([path], tmp_path)
    assert "lu comme" in told.value.what
    assert "TrafficRegulationPublication" in told.value.todo


# --- Writing ------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=9)
MOMENTS = st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2049, 1, 1)).map(
    lambda at: f"{at:%Y-%m-%dT%H:%M:%S}+01:00"
)
PERIODS = st.builds(
    Period,
    st.lists(st.tuples(st.just("20:00:00+01:00"), st.just("06:00:00+01:00")), max_size=2).map(
        tuple
    ),
    st.lists(st.sampled_from(["monday", "sunday"]), max_size=2).map(tuple),
)
SPANS = st.builds(Span, MOMENTS, st.one_of(st.just(""), MOMENTS),
                  st.lists(PERIODS, max_size=2).map(tuple))  # fmt: skip
PARTS = st.sampled_from(
    [*datex_written.AROUND]).flatmap(lambda name: TEXTS.map(lambda text: (name, text)))  # fmt: skip
ONLY = st.one_of(
    st.builds(Only, st.lists(PARTS, min_size=1, max_size=3).map(tuple), st.booleans()),
    st.builds(Only, st.tuples(st.tuples(st.sampled_from([*datex_written.CONDITIONS]), TEXTS)),
              st.booleans()),
)  # fmt: skip
OURS = '{"type":"Point","coordinates":[5.3,43.2],"radius_m":9}'
PLACES = st.lists(st.sampled_from([LINE, FAR, OURS]), max_size=3).map(tuple)
REGULATIONS = st.sampled_from([*datex.KINDS]).flatmap(
    lambda kind: st.builds(
        Regulation, st.just(kind), st.just("30" if kind == "speedLimitation" else ""),
        st.lists(SPANS, max_size=2).map(tuple), PLACES, st.lists(ONLY, max_size=2).map(tuple),
    )
)  # fmt: skip
ORDERS = st.builds(Order, TEXTS, TEXTS, st.sampled_from(["madeAndImplemented", "withdrawn"]), SPANS,
                   st.lists(REGULATIONS, max_size=3).map(tuple))  # fmt: skip


def whole(orders: list[Order]) -> bytes:
    return datex_written.write(orders, "2026-01-02T10:00:00+01:00", "Ville & <Métropole>", "essai")


@given(st.lists(ORDERS, max_size=3))
def test_a_round_trip_loses_nothing(orders: list[Order]) -> None:
    document = whole(orders)
    assert datex.parse(document) == orders
    assert whole(datex.parse(document)) == document


def test_what_the_platform_s_form_says_is_kept_by_a_round_trip() -> None:
    known = [one for one in datex.parse(DOCUMENT) if one.number != "2026/5"]
    assert datex.parse(whole(known)) == known


def test_an_unknown_kind_or_condition_is_told_not_left_out() -> None:
    (unknown,) = [one for one in datex.parse(DOCUMENT) if one.number == "2026/5"]
    with pytest.raises(PhareError, match="sorte de restriction"):
        whole([unknown])
    odd = Regulation("noEntry", only=(Only((("DriverCondition", ""),)),))
    with pytest.raises(PhareError, match="condition que cette forme"):
        whole([Order("a", "b", "madeAndImplemented", Span(""), (odd,))])


# The children of each type in the order of the XSD's sequences, those that we write.
SEQUENCES = {
    "trafficRegulationOrder": ["description", "issuingAuthority", "reason", "regulationId",
                               "status", "implementedValidity", "validityByOrder",
                               "implementedLocation", "locationByOrder", "trafficRegulation",
                               "legalBasis", "_trafficRegulationOrderExtension"],
    "trafficRegulation": ["status", "typeOfRegulation", "condition",
                          "_trafficRegulationExtension"],
    "maxValue": ["numericValue", "unitOfMeasure", "_speedExtension"],
    "validityByOrder": ["validityStatus", "validityTimeSpecification"],
    "validityTimeSpecification": ["overallStartTime", "overallEndTime", "validPeriod"],
    "validPeriod": ["recurringTimePeriodOfDay", "recurringDayWeekMonthPeriod"],
    "locationByOrder": ["supplementaryPositionalDescription", "_linearLocationExtension"],
}  # fmt: skip


def test_the_names_and_their_order_are_those_of_the_public_schema() -> None:
    """Every name that we write is one of the platform's own documents, in its own namespace."""
    theirs = {one.tag for one in ET.fromstring(DOCUMENT).iter()}
    ours = ET.fromstring(whole([o for o in datex.parse(DOCUMENT) if o.number != "2026/5"]))
    publication = {"publicationCreator", "country", "nationalIdentifier"}
    extra = {one.tag for one in ours.iter()} - theirs
    assert {one.rpartition("}")[2] for one in extra} == publication
    for node in ours.iter():
        sequence = SEQUENCES.get(node.tag.rpartition("}")[2])
        if sequence:
            places = [sequence.index(one.tag.rpartition("}")[2]) for one in node]
            assert places == sorted(places), node.tag


def test_the_city_s_orders_come_back_as_they_were(tmp_path: Path) -> None:
    """Out by the command and in by the door: kinds, moments across both clock changes, places."""
    features = [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [5.3744, 43.2955]},
         "properties": {"numero": f"2026-{n:05d}", "type": kind, "signe_le": "2026-01-02",
                        "effet_debut": f"2026-{month:02d}-20T22:00:00+0{offset}:00",
                        "effet_fin": f"2026-{month:02d}-21T03:00:00+0{offset}:00", "rayon_m": 150}}
        for n, (kind, month, offset) in enumerate([
            ("circulation", 1, 1), ("stationnement", 7, 2), ("limitation_vitesse", 10, 2),
            ("alternat", 11, 1), ("debit_boissons", 1, 1), ("occupation_domaine", 7, 2),
        ])
    ]  # fmt: skip
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    (first / "arrete.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8"
    )
    before, aside = taken([first / "arrete.geojson"], first)
    assert aside == {}
    city = City(PACK)
    root = tmp_path / "root"
    (root / "data/marseille").mkdir(parents=True)
    (first / "accepted").rename(root / "data/marseille/accepted")
    said = datex_export.export(city, root, second / "arrete.xml")
    assert said.startswith("4\u00a0arrêtés écrits")
    assert "debit_boissons : 1, occupation_domaine : 1" in said
    again = (second / "arrete.xml").read_bytes()
    datex_export.export(city, root, second / "arrete.xml")
    assert (second / "arrete.xml").read_bytes() == again
    after, aside = taken([second / "arrete.xml"], second)
    assert aside == {}
    told = ("type", "effet_debut", "effet_fin", "rayon_m", "longitude", "latitude")
    kept = [
        one for one in before if one["type"] in datex_export.kinds(city, city.about.agenda.closures)
    ]  # type: ignore[arg-type]
    assert sorted([one[name] for name in told] for one in after) == sorted(
        [one[name] for name in told] for one in kept
    )


def test_a_contract_without_the_edition_is_told() -> None:
    city = City(ROOT / "data/cities/marseille_ouvert")
    with pytest.raises(PhareError, match="pas de source d'arrêtés"):
        datex_export.export(city, ROOT, Path("nowhere.xml"))
    assert yaml.safe_load((PACK / "contracts/arrete.yaml").read_text("utf-8"))["editions"]
