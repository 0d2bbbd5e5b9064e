//! Everything that is sealed with an older master key is sealed with the present one, while the platform runs.
//!
//! Places are gone through in small parts, and each value is replaced by a statement of its own that does nothing where the
//! row was changed meanwhile; whoever changed it has sealed it with the present key, or it is found at the next round. So
//! this may be stopped and begun again at any point, and no request ever waits for more than one row.

use crate::{
    Platform, Result,
    audit::{Entry, record},
};
use anyhow::Context;
use model::{Actor, Problem};
use serde_json::json;
use sqlx::Connection;
use std::{collections::BTreeMap, time::Duration};
use store::sealed::{Place, SEALED};

/// So many blocks of a table are read at once: some hundred rows.
const BLOCKS: i64 = 16;
/// A row that is changed all the time is left for another day.
const MOST_ROUNDS: u32 = 100;

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resealed {
    /// So many values were sealed anew.
    pub moved: u64,
    /// What opens with none of the keys, by place and row.
    pub damaged: Vec<String>,
    /// So many were changed each time just when they should have been replaced.
    pub left: u64,
}

impl Resealed {
    /// Nothing is left under another key.
    pub fn is_whole(&self) -> bool {
        self.damaged.is_empty() && self.left == 0
    }
}

/// Seals everything with the present master key. When nothing is left, `settle` is waited for, and all is looked at once
/// more: what a request had sealed before it knew of the key may have been written only then.
///
/// # Errors
/// 409 `rotation_running` while another process is at it; the database's.
pub async fn reseal_all(platform: &Platform, settle: Duration) -> Result<Resealed> {
    let mut guard = platform.pool.acquire().await?.detach();
    if !store::sealed::lock(&mut guard).await? {
        let detail = "Another process is sealing everything anew; wait for it, then run this again.";
        return Err(Problem::conflict("rotation_running", detail).into());
    }
    let done = rounds(platform, settle).await;
    // Closing it gives the lock back.
    let _ = guard.close().await;
    done
}

async fn rounds(platform: &Platform, settle: Duration) -> Result<Resealed> {
    let mut all = Resealed::default();
    let mut has_settled = false;
    for _ in 0..MOST_ROUNDS {
        let round = round(platform).await?;
        let is_quiet = round.moved == 0 && round.left == 0;
        all = Resealed { moved: all.moved + round.moved, ..round };
        if is_quiet {
            if has_settled {
                break;
            }
            has_settled = true;
            tokio::time::sleep(settle).await;
        }
    }
    Ok(all)
}

/// Goes once through all places.
async fn round(platform: &Platform) -> Result<Resealed> {
    let mut round = Resealed::default();
    for place in SEALED {
        let mut conn = platform.pool.acquire().await?;
        let blocks = place.blocks(&mut conn).await?;
        let mut from = 0;
        while from < blocks {
            part(platform, &mut conn, place, from, &mut round).await?;
            from += BLOCKS;
        }
    }
    Ok(round)
}

async fn part(
    platform: &Platform,
    conn: &mut sqlx::PgConnection,
    place: &Place,
    from: i64,
    round: &mut Resealed,
) -> Result<()> {
    for found in place.others(conn, &platform.vault.prefix(), from, from + BLOCKS).await? {
        match platform.vault.seal_again(&found.row, &found.sealed) {
            Ok(Some(sealed)) if place.replace(conn, &found, &sealed).await? => round.moved += 1,
            Ok(Some(_)) => round.left += 1,
            Ok(None) => {}
            Err(error) => {
                tracing::error!(place = place.table, row = found.row, %error, "this cannot be sealed anew");
                round.damaged.push(format!("{}.{} ({})", place.table, place.column, found.row));
            }
        }
    }
    Ok(())
}

/// How many values are sealed with which key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// By the key's short name; what names no key is under [`WITHOUT_NAME`].
    pub by_key: BTreeMap<String, i64>,
    /// Not with the present key.
    pub others: i64,
}

/// What stands under [`Counts::by_key`] for values that name no key.
pub const WITHOUT_NAME: &str = "without a name";

/// Counts what is sealed with which key.
///
/// # Errors
/// The database's.
pub async fn counts(platform: &Platform) -> Result<Counts> {
    let mut counts = Counts::default();
    let prefix = platform.vault.prefix();
    let length = i32::try_from(prefix.len()).context("the length of a key's name")?;
    let mut conn = platform.pool.acquire().await?;
    for place in SEALED {
        for (begin, count) in place.counts(&mut conn, length).await? {
            let name = if begin.len() == prefix.len() { hex::encode(&begin[1..]) } else { WITHOUT_NAME.to_owned() };
            *counts.by_key.entry(name).or_default() += count;
            counts.others += if begin == prefix { 0 } else { count };
        }
    }
    Ok(counts)
}

/// Notes that the master key was replaced.
///
/// # Errors
/// The database's.
pub async fn note(platform: &Platform, actor: &Actor, before: Option<&str>, after: &str) -> Result<()> {
    let mut conn = platform.pool.acquire().await?;
    let entry = Entry::new("master_key.rotate", after, after);
    let entry = entry.change(before.map(|id| json!({"key": id})), json!({"key": after}));
    record(&mut conn, actor, entry).await
}

#[cfg(test)]
mod tests;
