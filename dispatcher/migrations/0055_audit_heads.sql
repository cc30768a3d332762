-- The epoch of every stream and of the record: one row, raised by each restore from a backup.
create table epochs (
    id bigint primary key check (id = 1)
    , number bigint not null
);

insert into epochs (id, number) values (1, 1);

-- Signed heads of the record, from time to time.
create table audit_heads (
    epoch bigint not null
    -- The entry that was the newest.
    , number bigint not null
    , digest blob not null
    , at bigint not null
    -- As it was signed.
    , sealed blob not null
    , primary key (epoch, number)
);
