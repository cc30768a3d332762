-- What came in as CAP, under its own key, and the rules by which it may issue itself.
create table cap_imports (
    sender text not null
    , identifier text not null
    , sent bigint not null
    , digest blob not null
    , alert text
    , token text not null
    , outcome text not null
    , at bigint not null
    , primary key (sender, identifier, sent)
);

create table auto_issue_rules (
    id text primary key
    , version bigint not null
    , region text not null
    , token text not null
    , sender text not null
    , state text not null
    , ends_at bigint not null
    -- JSON: every limit and who made it.
    , rule text not null
    , created_at bigint not null
);

create index auto_issue_rules_by_region on auto_issue_rules (region, id);

create table auto_issues (
    rule text not null
    , alert text not null
    , at bigint not null
    , primary key (rule, alert)
);

create index auto_issues_by_time on auto_issues (rule, at);
