-- Terminals enrolled in a drill: without it an exercise does not sound there.
create table drill_enrolments (
    id text primary key
    , version bigint not null
    , drill text not null
    -- The smallest single region that holds all of it.
    , region text not null
    -- JSON: the regions and the single terminals.
    , scope text not null
    , from_at bigint not null
    , until_at bigint not null
    , made_by text not null
    , made_at bigint not null
    , ended_by text
    , ended_at bigint
);

create index drill_enrolments_by_drill on drill_enrolments (drill, until_at);

-- The commands of an enrolment, taken back when it ends.
create index commands_of_drills on commands (subject) where kind = 'drill' and ended_at is null;
