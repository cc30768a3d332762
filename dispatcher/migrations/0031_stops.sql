-- Regions that were silenced, and the signed commands that did it and undid it.
create table stops (
    id text primary key
    , version bigint not null
    , region text not null
    , reason text not null
    , placed_by text not null
    , placed_at bigint not null
    , lifted_by text
    , lifted_at bigint
);

create index stops_in_force on stops (lifted_at, region);

create table commands (
    id text primary key
    , kind text not null
    -- What it is about: the stop.
    , subject text not null
    , digest blob not null unique
    , topic text not null
    , authority text not null
    , epoch bigint not null
    , number bigint not null
    , sealed blob not null
    , created_at bigint not null
    , expires_at bigint not null
    , published_at bigint
    -- Another command took its place: not sent to terminals any more.
    , ended_at bigint
);

create index commands_unpublished on commands (published_at, expires_at);
create index commands_by_topic on commands (topic, expires_at);
