"""Listening to smart video over MQTT: hourly counts, and nothing else, leave this process.

`python -m helpers.connect.mqtt --city marseille --source vsi_alerte_agregee --cameras cameras.csv`

The session at the broker is persistent and a message is acknowledged once it is counted on disk:
what comes while the listener is away waits there, and a stop at any moment loses nothing.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import signal
import ssl
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag
from typing import Any
from urllib.parse import urlsplit

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from helpers.connect import onvif
from helpers.connect.hours import Ledger, journal, read_cameras
from helpers.connect.http import is_inside, token_name
from helpers.connect.onvif import Fate
from helpers.connect.spool import alone
from helpers.core.base import commands, redact
from helpers.core.base.errors import PhareError
from helpers.core.base.workspace import INBOX, Workspace, find_root
from helpers.core.city.city import load_city
from helpers.core.city.key import Key

PORTS = {"mqtt": 1883, "mqtts": 8883}
TURN_S = 0.5
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0
# Reasons that a broker will give again.
FINAL = {
    132: "version du protocole",
    133: "identifiant",
    134: "nom ou mot de passe",
    135: "droits",
}
KEEPALIVE_S = 60


@dataclass(frozen=True)
class Broker:
    """Where to listen: a server, the prefix of its topics, and who we are there."""

    host: str
    port: int
    secure: bool
    prefix: str
    name: str
    where: str
    user: str = ""
    password: str = ""


def broker(url: str, city: str, source: str) -> Broker:
    """Read `mqtt://server/prefix` (mqtts for TLS); `user:password` comes from the environment."""
    where = f"source « {source} », {redact.address(url)}"
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname or parts.password or parts.username:
        raise PhareError(
            "adresse MQTT illisible, ou qui contient un mot de passe",
            where,
            f"écrire `url: mqtts://serveur/prefixe` ; {token_name(source)}=nom:motdepasse à part",
        )
    secure = parts.scheme == "mqtts"
    user, _, password = os.environ.get(token_name(source), "").partition(":")
    if password and not secure and not is_inside(parts.hostname):
        raise PhareError(
            "un mot de passe ne part pas en clair vers l'extérieur", where, "employer mqtts://"
        )
    return Broker(
        host=parts.hostname,
        port=parts.port or PORTS[parts.scheme],
        secure=secure,
        prefix=parts.path.strip("/"),
        name=f"phare-{city}-{source}",
        where=where,
        user=user,
        password=password,
    )


class Listener:
    """A subscriber that counts. `heartbeat` is the end of the topics of heartbeats, if any.

    By a hash with the city's `key` a message that comes again is known; nothing else is kept of it.
    """

    def __init__(
        self,
        place: Broker,
        ledger: Ledger,
        key: Key,
        heartbeat: str = "",
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._place, self._ledger, self._heartbeat, self._now = place, ledger, heartbeat, now
        self._key = key
        self._unacknowledged: list[tuple[int, int]] = []
        self._refused: str | None = None
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=place.name, clean_session=False, manual_ack=True
        )
        if place.secure:
            self._client.tls_set_context(ssl.create_default_context())
        if place.user:
            self._client.username_pw_set(place.user, place.password)
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message
        self._client.on_disconnect = self._on_disconnect

    def run(self, stop: Flag) -> None:
        """Listen until told to stop; a connection that drops is made again."""
        wait = FIRST_WAIT_S
        while not stop.is_set():
            if self._connected():
                while not stop.is_set() and self._turn():
                    wait = FIRST_WAIT_S
                self._judge()
            if not stop.is_set():
                self._ledger.close(self._now())
                print(f"{self._place.where} : sans courtier, nouvel essai dans {wait:.0f} s",
                      file=sys.stderr, flush=True)  # fmt: skip
                stop.wait(wait)
                wait = min(2 * wait, LONGEST_WAIT_S)
        self._ledger.close(self._now())
        self._client.disconnect()
        self._client.loop(TURN_S)

    def _connected(self) -> bool:
        try:
            self._client.connect(self._place.host, self._place.port, KEEPALIVE_S)
        except ssl.SSLCertVerificationError:
            raise PhareError(
                "le certificat du courtier n'est pas reconnu",
                self._place.where,
                "vérifier l'adresse ; une autorité interne se donne par SSL_CERT_FILE",
            ) from None
        except OSError:
            return False
        return True

    def _judge(self) -> None:
        """Give up where the broker will refuse us again."""
        if self._refused:
            raise PhareError(
                f"le courtier refuse la connexion ({self._refused})",
                self._place.where,
                "vérifier le nom et le mot de passe donnés dans l'environnement",
            )

    def _turn(self) -> bool:
        """Take what has come, write it down, and only then acknowledge it."""
        alive = self._client.loop(TURN_S) == MQTTErrorCode.MQTT_ERR_SUCCESS
        self._ledger.close(self._now())
        acknowledged, self._unacknowledged = self._unacknowledged, []
        for number, quality in acknowledged:
            self._client.ack(number, quality)
        return alive

    def _on_connect(self, client: Client, _: Any, __: Any, reason: Any, ___: Any) -> None:
        if reason.is_failure:
            self._refused = FINAL.get(reason.value)
            return
        prefix = f"{self._place.prefix}/" if self._place.prefix else ""
        client.subscribe(f"{prefix}#", qos=1)

    def _on_disconnect(self, *_: Any) -> None:
        # Their numbers mean nothing to the next connection: the broker will send them again.
        self._unacknowledged.clear()

    def _on_message(self, _: Client, __: Any, message: MQTTMessage) -> None:
        self.hear(message.topic, bytes(message.payload), retained=message.retain)
        self._unacknowledged.append((message.mid, message.qos))

    def hear(self, topic: str, payload: bytes, *, retained: bool = False) -> Fate:
        """Count a message, or note why it is not; return what became of it."""
        now, ledger = self._now(), self._ledger
        if retained:  # kept by the broker from before: an old state, not a fact
            return ledger.note("retenu", now)
        local = topic.removeprefix(self._place.prefix).strip("/")
        if self._heartbeat and local.endswith(f"/{self._heartbeat}"):
            return ledger.beat(local.removesuffix(f"/{self._heartbeat}"), now)
        subject = onvif.subject(topic, self._place.prefix)
        if subject.kind is None:
            return ledger.note(subject.refusal, now)
        if len(payload) > onvif.PAYLOAD_BYTES:
            return ledger.note("trop_grand", now)
        event = onvif.event(payload)
        if event is None:
            return ledger.note("illisible", now)
        return ledger.take(
            event, subject.kind, subject.producer, self._key.hash_of(topic.encode(), payload), now
        )


def main(given: Sequence[str] | None = None) -> None:
    """Listen for one source of a city until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="helpers.connect.mqtt", description=__doc__)
    parser.add_argument("--city", required=True)
    parser.add_argument("--source", required=True)
    parser.add_argument("--cameras", type=Path, help="CSV token;zone_id;detecte")
    parser.add_argument("--to", type=Path, help="dossier où écrire (livraison du paquet)")
    parser.add_argument("--heartbeat", default="", help="fin des sujets de battement")
    parser.add_argument("--period", type=int, default=60, help="secondes entre deux battements")
    told = parser.parse_args(given)
    root = find_root()
    city = load_city(Workspace(root, told.city))
    delivery = city.about.sources.get(told.source)
    if delivery is None or not delivery.url or told.period < 60:
        raise PhareError(
            "source sans adresse MQTT, ou période de moins de 60 secondes",
            f"ville « {told.city} », source « {told.source} »",
            "écrire `url: mqtts://serveur/prefixe` pour cette source dans city.yaml",
        )
    place = broker(delivery.url, told.city, told.source)
    cameras = read_cameras(told.cameras or city.pack / "cameras.csv")
    out = told.to or city.pack / INBOX
    beats = 3600 // told.period if told.heartbeat else 0
    stop = Flag()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with alone(journal(out, told.source)):
        ledger = Ledger(out, told.source, cameras, beats)
        Listener(place, ledger, city.key(root), told.heartbeat).run(stop)


if __name__ == "__main__":
    commands.begin()
    try:
        main()
    except PhareError as error:
        sys.exit(str(error))
