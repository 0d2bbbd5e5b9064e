-- How much is kept, and since when no longer.

-- Bytes of text, so that a site's share is known without reading its logs.
alter table deployments add column log_bytes bigint not null default 0;
update deployments set log_bytes = l.bytes
    from (select deployment_id, sum(octet_length(text)) as bytes from deployment_logs group by deployment_id) l
    where l.deployment_id = deployments.id;
-- Set once the lines are gone because their time was over.
alter table deployments add column log_removed_at timestamptz;
create index deployments_logs_kept on deployments (finished_at) where log_lines > 0;

create index deliveries_received on deliveries (received_at);

-- When a build last used a layer: those that were not used for the longest time go first.
create table image_uses (
    -- The first 12 hexadecimal digits of the image's id, as builds print it.
    image_id text primary key,
    site_id uuid references sites on delete set null,
    used_at timestamptz not null default now()
);
create index image_uses_site on image_uses (site_id);
