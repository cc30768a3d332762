"""The MQTT session: 16 filters, a will, and PUBACK only when the engine has written."""

import random
import ssl
import time
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt

from . import region
from .engine import Engine
from .limits import KEEP_ALIVE_S, RECONNECT_S_MAX, SILENCE_S_MAX

LOOP_S = 0.05
SUBSCRIBE_S_MAX = 10
PORT, TLS_PORT = 1883, 8883


def filters(terminal):
    """Exactly these 16, no wildcards."""
    own = region.terminal_text(terminal)
    for code in region.ancestors(terminal[0]):
        for kind in ("order", "command", "revocation"):
            yield f"tongluo/1/region/{code:012d}/{kind}"
    for kind in ("order", "command", "reply", "ack"):
        yield f"tongluo/1/terminal/{own}/{kind}"


class Session:
    def __init__(self, identity, folder, speaker, clips):
        self._identity = identity
        self._own = region.terminal_text(identity.terminal)
        self._url = urlsplit(identity.mqtt_url)
        self._client = self._make_client()
        self._failures, self._is_up, self._last_packet = 0, False, time.monotonic()
        self._reconnect_at = 0.0
        self.engine = Engine(identity, folder, speaker, clips, self._send)

    def _make_client(self):
        client = mqtt.Client(client_id=self._own, clean_session=False, protocol=mqtt.MQTTv311)
        client.username_pw_set(self._own, self._identity.mqtt_password)
        client.will_set(self._topic("status"), b"offline", qos=1, retain=True)
        if self._url.scheme == "mqtts":
            client.tls_set(cert_reqs=ssl.CERT_REQUIRED)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_log = self._on_log
        return client

    def _topic(self, kind):
        return f"tongluo/1/terminal/{self._own}/{kind}"

    def _send(self, kind, payload):
        if self._is_up:
            self._client.publish(self._topic(kind), payload, qos=1)

    def _on_log(self, _client, _data, _level, text):
        if text.startswith("Received"):
            self._last_packet = time.monotonic()

    def _on_connect(self, client, _data, _flags, code):
        if code != 0:
            print(f"connect refused: {mqtt.connack_string(code)}", flush=True)
            return
        client.subscribe([(each, 1) for each in filters(self._identity.terminal)])

    def _on_subscribe(self, client, _data, _mid, granted):
        if any(qos > 2 for qos in granted):
            print("the broker refused a filter", flush=True)
            client.disconnect()
            return
        self._failures, self._is_up = 0, True
        client.publish(self._topic("status"), b"online", qos=1, retain=True)
        self.engine.connected()

    def _on_message(self, _client, _data, message):
        self.engine.receive(message.topic, message.payload)

    def run(self, is_over):
        while not is_over():
            if self._is_up or self._reconnect_at == 0.0:
                self._turn()
            elif time.monotonic() >= self._reconnect_at:
                self._connect()
            else:
                time.sleep(LOOP_S)
            self.engine.tick()
        if self._is_up:
            self._client.publish(self._topic("status"), b"offline", qos=1, retain=True)
        self._client.disconnect()

    def _connect(self):
        default = TLS_PORT if self._url.scheme == "mqtts" else PORT
        self._last_packet = time.monotonic()
        try:
            self._client.connect(self._url.hostname, self._url.port or default, KEEP_ALIVE_S)
            self._reconnect_at = 0.0
        except OSError as error:
            self._lost(str(error))

    def _turn(self):
        if self._client.socket() is None:
            self._connect()
            return
        code = self._client.loop(LOOP_S)
        if code != mqtt.MQTT_ERR_SUCCESS:
            self._lost(mqtt.error_string(code))
        elif time.monotonic() - self._last_packet > self._patience_s():
            self._client.socket().close()
            self._lost("nothing came back")

    def _patience_s(self):
        return SILENCE_S_MAX if self._is_up else SUBSCRIBE_S_MAX

    def _lost(self, why):
        print(f"connection lost: {why}", flush=True)
        wait = min(RECONNECT_S_MAX, 2**self._failures) * random.uniform(0.5, 1)
        self._failures = min(self._failures + 1, 10)
        self._is_up = False
        self._reconnect_at = time.monotonic() + wait
        self.engine.disconnected()
