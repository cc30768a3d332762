-- Accounts of people, their sessions and grants; tokens of machines.
create table accounts (
    id text primary key
    , name text not null unique
    , full_name text not null
    , password_hash text not null
    , totp_secret blob
    -- The last time step whose code was used: each code counts once.
    , totp_step bigint not null
    , failed_logins bigint not null
    , locked_until bigint
    , disabled_at bigint
    , created_at bigint not null
    , version bigint not null
);

create table grants (
    account text not null references accounts (id)
    , role text not null
    , region text not null
    , granted_by text not null
    , granted_at bigint not null
    , primary key (account, role, region)
);

create table sessions (
    id text primary key
    , token_digest blob not null unique
    , account text not null references accounts (id)
    , created_at bigint not null
    , seen_at bigint not null
    , stepped_up_at bigint
    , revoked_at bigint
    , address text not null
    , agent text not null
);

create index sessions_by_account on sessions (account, created_at);

create table api_tokens (
    id text primary key
    , token_digest blob not null unique
    , name text not null
    , scope text not null
    , region text not null
    , created_by text not null
    , created_at bigint not null
    , expires_at bigint not null
    , revoked_at bigint
);
