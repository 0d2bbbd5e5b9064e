-- The second factor of an account: a secret that it shares with an app on its owner's phone.
create table totp (
    user_id uuid primary key references users on delete cascade,
    -- Sealed with the master key.
    secret bytea not null,
    created_at timestamptz not null default now(),
    -- Null: being set up; it counts once a code has confirmed it.
    confirmed_at timestamptz,
    -- The step of time whose code was accepted last: neither it nor one before is accepted again.
    last_step bigint not null default 0,
    -- Wrong codes in a row, and until when none is looked at.
    failures integer not null default 0,
    locked_until timestamptz
);

-- What opens an account whose phone is lost; each is good once. They are random and long, so their hash needs no salt.
create table recovery_codes (
    user_id uuid not null references totp on delete cascade,
    code_hash bytea not null,
    primary key (user_id, code_hash)
);
