-- E-mails that are to be sent: written in the transaction that gives the reason, sent by a task of the platform.
create table mails (
    id uuid primary key,
    recipient text not null,
    -- Subject and text, sealed with the master key: there may be a link inside that opens an account.
    sealed bytea not null,
    created_at timestamptz not null default now(),
    -- When it is tried next; null: it was sent, or given up.
    due_at timestamptz default now(),
    attempts integer not null default 0,
    sent_at timestamptz,
    last_error text
);
create index mails_due on mails (due_at) where due_at is not null;
