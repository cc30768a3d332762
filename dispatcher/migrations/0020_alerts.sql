-- Alerts, what is signed for them, and the documents they are known by outside.
create table alerts (
    id text primary key
    , version bigint not null
    -- The first alert of the chain.
    , chain text not null
    , predecessor text
    , region text not null
    , sender text not null
    , identifier text not null
    , sent bigint
    , state text not null
    , kind text not null
    , color text
    , event text not null
    , content text not null
    , content_digest blob not null
    -- JSON: evidence of the state.
    , lifecycle text not null
    -- JSON: what an officer must answer before it may be submitted.
    , asked text not null
    -- JSON: the words prepared for each end.
    , closures text
    , cap_digest blob
    , origin text not null
    , issued_at bigint
    , expires_at bigint not null
    , closed_at bigint
    , closure text
    -- An emergency issue that awaits its countersign.
    , countersign_due_at bigint
    , breached_at bigint
    , created_at bigint not null
    , unique (sender, identifier)
);

create index alerts_by_region on alerts (region, id);
create index alerts_by_chain on alerts (chain, id);
create index alerts_by_expiry on alerts (state, expires_at);
create index alerts_by_countersign on alerts (countersign_due_at);

create table orders (
    id text primary key
    , alert text not null
    , digest blob not null unique
    , topic text not null
    , authority text not null
    , epoch bigint not null
    , number bigint not null
    , purpose text not null
    -- CBOR: who is meant, for the orders that will end this one.
    , target blob not null
    , sealed blob not null
    , created_at bigint not null
    , expires_at bigint not null
    , published_at bigint
    -- Its chain was closed or superseded: not sent to terminals any more.
    , ended_at bigint
);

create index orders_by_alert on orders (alert);
create index orders_by_topic on orders (topic, expires_at);
create index orders_unpublished on orders (published_at, expires_at);

-- The highest number taken in each stream.
create table streams (
    authority text not null
    , topic text not null
    , kind text not null
    , epoch bigint not null
    , number bigint not null
    , primary key (authority, topic, kind)
);

create table cap_documents (
    digest blob primary key
    , bytes blob not null
    , direction text not null
    , at bigint not null
);
