-- Revocation lists as they were brought in, sealed by a root; the highest number counts.
create table revocation_lists (
    number bigint primary key
    , sealed blob not null
    , imported_by text not null
    , imported_at bigint not null
);
