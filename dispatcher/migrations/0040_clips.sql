-- Clips by their digest; one a text and voice.
create table clips (
    digest blob not null primary key
    , bytes blob not null
    , duration_ms bigint not null
    , language text not null
    , voice text not null
    , text_digest blob not null
    , created_at bigint not null
    , unique (text_digest, voice)
);
