-- The inbox: what was replayed, what was refused, with which secret a delivery was signed.
alter table deliveries
    -- The delivery that this one replays; that one may be forgotten by now.
    add column replay_of uuid,
    -- Who asked for the replay.
    add column replayed_by uuid references users on delete set null,
    -- `secret`, or `old_secret` for the one before; null where nothing was signed, or before this was noted.
    add column signed_with text,
    -- How often it came; what is refused is one row an hour for each site and forge, and is not counted on for ever.
    add column times integer not null default 1;

-- A webhook's secret that was replaced goes on working for a while.
alter table sites
    -- Sealed like the present one, under a name of its own.
    add column old_webhook_secret bytea,
    add column old_webhook_secret_until timestamptz;
create index sites_old_webhook_secret on sites (old_webhook_secret_until) where old_webhook_secret is not null;
