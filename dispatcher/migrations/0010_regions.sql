-- The list of regions and the ministry's codes for them.
create table regions (
    code text primary key
    , level text not null
    , name text not null
    , name_en text
    , kind text not null
    , parent text
    -- 0 for a pseudo-unit of the statistics.
    , is_target bigint not null
    , lat double precision
    , lon double precision
    -- Outline as JSON [[lon,lat],…]; schematic unless the authority brought its own.
    , ring text
);

create index regions_by_parent on regions (parent);

create table region_aliases (
    scheme text not null
    , code text not null
    , region text not null
    , name text not null
    , valid_from bigint not null
    , valid_until bigint
    , primary key (scheme, code, valid_from)
);

-- One row: rises whenever regions or terminals change, so that an index made of them knows when
-- it is out of date, in this process and in any other.
create table place_revisions (
    id bigint primary key check (id = 1)
    , number bigint not null
);

insert into place_revisions (id, number) values (1, 1);
