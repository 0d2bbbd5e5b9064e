-- Tokens that programs sign in with. They are random and long, so their hash needs no salt.
create table api_tokens (
    id uuid primary key,
    team_id uuid not null references teams on delete cascade,
    user_id uuid not null references users on delete cascade,
    -- The one site it is for; null: all of the team's.
    site_id uuid references sites on delete cascade,
    name text not null,
    scopes text[] not null,
    token_hash bytea not null unique,
    -- Its last characters, to know it by.
    ends_with text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    last_used_at timestamptz
);
create index api_tokens_user on api_tokens (user_id, created_at desc);
create index api_tokens_team on api_tokens (team_id);
create index api_tokens_site on api_tokens (site_id);
