"""Traces of one fact, what the law refuses, and what surrounds the facts of the simulated city."""

from __future__ import annotations

import pytest

from tests.fixtures.simulated import FACTS, RULES, YEARS, Made

# --- One fact, several traces ------------------------------------------------------------------


def test_every_trace_is_a_line_that_came(made: Made) -> None:
    keys = {name: made.city.contracts[name].key[0] for name in FACTS}
    told = " UNION ALL ".join(
        f"SELECT '{n}' AS source, hashed(true_id) AS id FROM {n} WHERE {k} = hashed(true_id) "
        "OR starts_with(fault, 'donnee_personnelle')"
        for n, k in keys.items()
    )
    vsi = "SELECT 'vsi_alerte_agregee' AS source, zone_id || '|' || heure || '|' || type AS id"
    lost = made.number(
        f"SELECT count(*) FROM traces ANTI JOIN ({told} UNION ALL {vsi} "
        f"FROM '{made.raw}/vsi_alerte_agregee.parquet') USING (source, id)"
    )
    assert lost == 0
    sources = made.number("SELECT count(DISTINCT source) FROM traces")
    assert sources == 6


def test_traces_of_an_incident_are_near_each_other(made: Made) -> None:
    away = (
        "sqrt(pow((i.longitude - m.true_longitude) * 81000, 2) "
        "+ pow((i.latitude - m.true_latitude) * 111320, 2))"
    )
    minutes, near, count = made.con.execute(
        "SELECT max(abs(epoch(i.appel_le) - epoch(m.true_moment)) / 60), "
        f"avg(({away} < 100)::INT), count(*) FROM sorted_intervention i "
        f"JOIN traces t ON t.source = 'intervention' AND t.id = i.id "
        "JOIN (SELECT * FROM main_courante WHERE true_duplicate = 'none') m "
        "ON m.true_incident = t.incident WHERE i.longitude IS NOT NULL"
    ).fetchall()[0]
    assert count > 1000
    assert minutes < 120
    assert near > 0.95


def test_a_number_given_by_a_dispatch_is_the_right_one(made: Made) -> None:
    given, right = made.con.execute(
        "SELECT count(*), count(*) FILTER (m.incident = d.incident) FROM sorted_intervention i "
        "JOIN traces d ON d.source = 'intervention' AND d.id = i.id "
        "JOIN traces m ON m.source = 'main_courante' AND m.id = i.id_mc"
    ).fetchall()[0]
    assert given == right > 0
    share = given / made.number("SELECT count(*) FROM sorted_intervention")
    assert share == pytest.approx(RULES["intervention"]["id_given_share"], abs=0.05)


# --- What the law and the agreements refuse ----------------------------------------------------


def test_alerts_outside_the_legal_window_are_refused_and_no_others(made: Made) -> None:
    fates = made.fates["vsi_alerte_agregee"]
    refused = sum(n for reason, n in fates.items() if reason.startswith("hors_fenetre"))
    truth = f"'{made.truth}/vsi_alerte_agregee_lines.parquet'"
    assert refused == made.number(f"SELECT count(*) FROM {truth} WHERE outside_window") > 0
    assert refused == made.receipts["vsi_alerte_agregee"]["rows"] - fates["accepted"]


def test_a_partner_s_number_below_k_is_refused(made: Made) -> None:
    truth = f"'{made.truth}/partenaire_agrege_lines.parquet'"
    below = made.number(f"SELECT count(*) FROM {truth} WHERE below_k")
    assert made.fates["partenaire_agrege"].get("secret_sous_k") == below > 0


# --- Context -----------------------------------------------------------------------------------


def test_a_forecast_is_issued_before_its_hour_and_errs_more_when_earlier(made: Made) -> None:
    con = made.con
    late = made.number("SELECT count(*) FROM sorted_meteo WHERE (type = 'prevu') <> (emis_le < ts)")
    assert late == 0
    errors = con.execute(
        "SELECT date_diff('hour', p.emis_le, p.ts) AS lead, stddev(p.t_c - o.t_c) FROM "
        "sorted_meteo p JOIN sorted_meteo o ON p.ts = o.ts AND o.type = 'observe' "
        "WHERE p.type = 'prevu' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert [error for _, error in errors] == sorted(error for _, error in errors)
    at_a_day = dict(errors)[24]
    assert at_a_day == pytest.approx(RULES["meteo"]["error_c"], rel=0.1)
    assert made.fates["meteo"] == {"accepted": made.receipts["meteo"]["rows"]}


def test_a_day_of_the_calendar_is_that_of_paris(made: Made) -> None:
    con = made.con
    text = con.execute(f"SELECT min(date), max(date) FROM '{made.raw}/calendrier.parquet'")
    assert text.fetchone() == ("2020-12-31T23:00:00+00:00", "2025-12-30T23:00:00+00:00")
    known = con.execute(
        "SELECT CAST(date AS DATE)::VARCHAR, libelle FROM sorted_calendrier "
        "WHERE ferie AND year(date) = 2024 ORDER BY 1"
    ).fetchall()
    assert known[0] == ("2024-01-01", "Jour de l'an")
    assert ("2024-04-01", "Lundi de Pâques") in known
    assert len(known) == 11
    back = con.execute("SELECT CAST(date AS DATE)::VARCHAR FROM sorted_calendrier WHERE rentree")
    assert ("2024-09-02",) in back.fetchall()
    matches = made.number("SELECT count(*) FROM sorted_calendrier WHERE match_om")
    assert YEARS * 19 <= matches <= YEARS * 27


def test_the_city_of_recorded_crime_is_the_sum_of_its_parts_where_all_are_published(
    made: Made,
) -> None:
    rows = made.con.execute(
        "SELECT annee, indicateur, sum(nombre) FILTER (code_commune <> '13055'), "
        "max(nombre) FILTER (code_commune = '13055'), bool_and(est_diffuse = 'diff') "
        "FROM sorted_ssmsi_commune GROUP BY ALL"
    ).fetchall()
    assert len(rows) == 15 * 4
    assert all(parts == whole for *_, parts, whole, shown in rows if shown)
    hidden = made.con.execute(
        "SELECT count(*), count(nombre), count(taux_pour_mille) FROM sorted_ssmsi_commune "
        "WHERE est_diffuse = 'ndiff'"
    ).fetchone()
    assert hidden is not None
    assert hidden[0] > 0
    assert hidden[1:] == (0, 0)
    published = {"Cambriolages de logement": 9435, "Vols violents sans arme": 7000}
    for indicator, value in published.items():
        found = next(r[3] for r in rows if r[:2] == (2021, indicator))
        assert found == pytest.approx(value, rel=0.05)


def test_orders_belong_to_events_and_some_events_stand_in_the_way(made: Made) -> None:
    raw, truth = (f"'{made.raw}/{{}}.parquet'", f"'{made.truth}/evenement_lines.parquet'")
    orders, events = raw.format("arrete"), raw.format("evenement")
    assert made.number(f"SELECT count(*) FROM {orders} ANTI JOIN {events} USING (id_evt)") == 0
    both = made.con.execute(
        "SELECT count(*), count(*) FILTER (a.quartier = b.quartier AND a.debut < b.fin AND "
        f"b.debut < a.fin) FROM {truth} t JOIN sorted_evenement a ON a.id_evt = hashed(t.id) "
        "JOIN sorted_evenement b ON b.id_evt = hashed(t.in_the_way_of)"
    ).fetchone()
    assert both is not None
    assert both[0] == both[1] > 0
    wanted = "mesure_barrieres = 'a_faire' AND mesure_barrieres_nb > 0"
    lacking = made.con.execute(
        f"SELECT count(*), count(*) FILTER ({wanted}) FROM {truth} t "
        "JOIN sorted_evenement e ON e.id_evt = hashed(t.id) WHERE measure_missing"
    ).fetchone()
    assert lacking is not None
    assert lacking[0] == lacking[1] > 0
