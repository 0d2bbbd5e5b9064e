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

-- Passkeys: key pairs of which an account's owner has the private half.
create table passkeys (
    id uuid primary key,
    user_id uuid not null references users on delete cascade,
    -- What its owner calls it.
    name text not null,
    -- What browsers know it by.
    credential_id bytea not null,
    -- The public half, its counter and its flags.
    credential jsonb not null,
    created_at timestamptz not null default now(),
    last_used_at timestamptz,
    constraint passkeys_credential_key unique (credential_id)
);
create index passkeys_user on passkeys (user_id, created_at);

-- Whether the owner knows the password: an account that came by a provider has one that nobody knows, until it is reset.
alter table users add column has_password boolean not null default true;

-- Accounts at other providers, by which an account here is signed in to.
create table identities (
    -- Who says so, and whom it means: never an address, which may pass to somebody else.
    issuer text not null,
    subject text not null,
    user_id uuid not null references users on delete cascade,
    -- The provider's name in the settings.
    provider text not null,
    -- The address at the provider, to know it by.
    email text not null,
    created_at timestamptz not null default now(),
    last_used_at timestamptz,
    constraint identities_key primary key (issuer, subject),
    constraint identities_of_user_key unique (user_id, provider)
);
