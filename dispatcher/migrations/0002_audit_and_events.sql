-- The append-only record and the outbox of events.
create table audit (
    seq bigint primary key
    , at bigint not null
    , actor text not null
    , action text not null
    , object text not null
    , detail text not null
    , previous blob not null
    , digest blob not null
);

create table events (
    seq bigint primary key
    , topic text not null
    , region text not null
    , body text not null
    , at bigint not null
);

create index events_by_time on events (at);

-- One row: whoever takes a number holds it until commit, so that numbers become visible in their
-- order and without gaps.
create table sequences (
    id bigint primary key check (id = 1)
    , event bigint not null
    , audit bigint not null
    , audit_digest blob not null
);

-- An empty digest, not a null one: the first entry hashes exactly these no bytes.
insert into sequences (id, event, audit, audit_digest) values (1, 0, 0, cast('' as blob));
