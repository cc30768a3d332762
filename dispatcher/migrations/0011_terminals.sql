-- Terminals, and the codes by which they join.
create table terminals (
    id text primary key
    , village text not null
    , number bigint not null
    , name text not null
    , lat double precision
    , lon double precision
    , public_key blob
    -- SHA-256 of the MQTT password, which has 128 random bits.
    , mqtt_password_digest blob
    , enrolled_at bigint
    , retired_at bigint
    -- Whether it has a loudspeaker.
    , is_speaking bigint not null
    , version bigint not null
);

create index terminals_by_village on terminals (village, number);

create table enrolments (
    -- SHA-256 of the code's 80 random bits; the code itself is kept nowhere.
    secret_digest blob primary key
    , terminal text not null references terminals (id)
    , created_by text not null
    , created_at bigint not null
    , expires_at bigint not null
    , claimed_at bigint
);

create index enrolments_by_terminal on enrolments (terminal);
