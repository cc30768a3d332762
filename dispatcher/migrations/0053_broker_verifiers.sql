-- A terminal's MQTT password as external brokers keep it; made on enrolment, since the password
-- itself is kept nowhere.
alter table terminals add column mosquitto_verifier text;
alter table terminals add column nats_verifier text;
