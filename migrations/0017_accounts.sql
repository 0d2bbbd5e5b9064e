-- Accounts prove their address, reset their password and change their address by links that are mailed; what they are
-- signed in with can be told apart and ended one by one.

alter table users add column email_verified_at timestamptz;
-- They were made on the machine itself, or with the set-up token that it printed.
update users set email_verified_at = created_at where is_admin;

create table account_links (
    -- SHA-256 of the token in the link: a copy of the database opens no account.
    token_hash bytea primary key,
    -- `register`, `verify`, `reset`, `email`; `notice` for a mail without a link, which is counted like the others.
    kind text not null,
    -- Whose; null: of nobody yet.
    user_id uuid references users on delete cascade,
    -- Where it was sent.
    email text not null,
    -- Of an account that is made when the link is confirmed.
    name text,
    password_hash text,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);
create index account_links_email on account_links (email, created_at);
create index account_links_user on account_links (user_id);
create index account_links_expiry on account_links (expires_at);

-- What was sent or given up is not needed any more, and there may be a link inside.
alter table mails alter column sealed drop not null;

-- The key is a secret's hash and is shown to nobody.
alter table sessions
    add column public_id uuid not null default gen_random_uuid(),
    add column begun_at timestamptz not null default now();

-- Where a program was when it signed in or came back, and how it called itself.
alter table refresh_tokens
    add column address inet,
    add column agent text;
