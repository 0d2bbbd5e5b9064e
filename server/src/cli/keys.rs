//! `webmeteor keys`: the master key, which seals what is secret in the database, and the keys that sign access tokens.

use super::say;
use crate::{config::Config, ground::Ground, keys::Place};
use anyhow::bail;
use clap::Subcommand;
use model::Actor;
use platform::{
    Platform,
    rotation::{self, Counts, Resealed},
    signing,
};
use std::{fmt::Write, time::Duration};
use time::{OffsetDateTime, UtcOffset, macros::format_description};

/// How long requests may take that had sealed something before they knew of a new key.
const SETTLE: Duration = Duration::from_secs(30);

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say which keys there are, and how much is sealed with each
    Status,
    /// Make a new master key, and seal everything with it; the platform may run meanwhile
    ///
    /// Safe to stop and to run again: a rotation that was begun is finished first.
    Rotate {
        /// Make a new key even where some values open with none of the keys that are here
        #[arg(long)]
        anyway: bool,
    },
    /// Make a new key that signs access tokens; nobody is signed out
    RotateSigning {
        /// The old keys end now, and with them all access tokens; clients get new ones with their refresh tokens
        #[arg(long)]
        revoke: bool,
    },
}

pub async fn run(command: Command, config: &Config) -> anyhow::Result<()> {
    let ground = Ground::beside(config).await?;
    let platform = ground.platform(config)?;
    let result = execute(command, &platform, &Place::of(config)).await;
    platform.pool.close().await;
    ground.leave().await;
    say(&result?);
    Ok(())
}

async fn execute(command: Command, platform: &Platform, place: &Place) -> anyhow::Result<String> {
    match command {
        Command::Status => status(platform, place).await,
        Command::Rotate { anyway } => rotate(platform, place, anyway).await,
        Command::RotateSigning { revoke } => rotate_signing(platform, revoke).await,
    }
}

async fn status(platform: &Platform, place: &Place) -> anyhow::Result<String> {
    let (ids, counts) = (platform.vault.key_ids(), rotation::counts(platform).await?);
    let mut text = format!("The master key is {} ({}).\n", ids[0], whereabouts(place));
    for id in &ids[1..] {
        let _ = writeln!(text, "An older one that still opens is {id}.");
    }
    for (id, count) in &counts.by_key {
        let known = if ids.contains(id) || id == rotation::WITHOUT_NAME { "" } else { " — a key that is not here" };
        let _ = writeln!(text, "{count:>8} sealed with {id}{known}");
    }
    text += if counts.others > 0 {
        "Run `webmeteor keys rotate` to seal the rest with the master key of now.\n"
    } else if ids.len() > 1 {
        "Nothing here needs the older keys any more; dumps of the database from before do.\n"
    } else {
        "Everything is sealed with it.\n"
    };
    Ok(text)
}

fn whereabouts(place: &Place) -> String {
    if place.is_set() { "WEBMETEOR_MASTER_KEY".to_owned() } else { place.file().display().to_string() }
}

async fn rotate(platform: &Platform, place: &Place, anyway: bool) -> anyhow::Result<String> {
    let counts = rotation::counts(platform).await?;
    let is_new = if counts.others > 0 && !anyway {
        say(&format!("{} values are not sealed with the master key of now; they are first.", counts.others));
        false
    } else if place.is_set() {
        bail!("{}", by_the_environment());
    } else {
        begin(platform, place).await?
    };
    say(&format!(
        "Sealing everything anew. The platform may run on; at the end its last requests are waited for ({} s).",
        SETTLE.as_secs()
    ));
    let done = rotation::reseal_all(platform, SETTLE).await?;
    let counts = rotation::counts(platform).await?;
    told(platform, place, &done, &counts, is_new)
}

/// Makes the key. Nothing is sealed with it before it is on the disk.
async fn begin(platform: &Platform, place: &Place) -> anyhow::Result<bool> {
    let (before, after) = place.replace()?;
    rotation::note(platform, &Actor::nobody(), Some(&before), &after).await?;
    say(&format!(
        "Made the master key {after} in {}.\nThe one before, {before}, is kept in {}.",
        place.file().display(),
        place.old_file().display()
    ));
    Ok(true)
}

fn told(platform: &Platform, place: &Place, done: &Resealed, counts: &Counts, is_new: bool) -> anyhow::Result<String> {
    if !done.damaged.is_empty() {
        bail!(
            "{} values open with none of the keys that are here:\n  {}\nAll others are sealed with the new key. Keep every \
             old key. If one is missing, add it to WEBMETEOR_OLD_MASTER_KEYS and run this again. What is lost has to be set \
             anew where it belongs; until then `webmeteor keys rotate --anyway` makes a new key.",
            done.damaged.len(),
            done.damaged.join("\n  ")
        );
    }
    if counts.others > 0 {
        bail!(
            "{} values were written with another key meanwhile. Where the keys are in the environment, start all processes \
             with the new one, then run this again. Keep the old key until then.",
            counts.others
        );
    }
    let id = platform.vault.key_ids().swap_remove(0);
    let mut text =
        format!("\n{} values were sealed anew. Everything is sealed with the master key {id} now.\n", done.moved);
    let (new, old) = if place.is_set() {
        ("WEBMETEOR_MASTER_KEY".to_owned(), "what stands in WEBMETEOR_OLD_MASTER_KEYS".to_owned())
    } else {
        (place.file().display().to_string(), place.old_file().display().to_string())
    };
    let _ = write!(
        text,
        "\nWhat to do now:\n  1. Make a backup: a dump of the database from now on opens with {new}, and with nothing else.\n  2. \
         Dumps from before open with the old key alone. Keep {old} with them, in a safe place,\n     for as long as you keep \
         them.\n  3. Then remove it from here{}.\n  4. If the old key is known to somebody, \
         so is what those dumps hold: replace those secrets too,\n     and sign with new keys (`webmeteor keys rotate-signing \
         --revoke`).\n",
        if place.is_set() { " and start the processes again" } else { "; running processes go on" }
    );
    if !is_new && !place.is_set() {
        text += "\nThis finished a rotation that was begun before. Run it once more for another new key.\n";
    }
    Ok(text)
}

fn by_the_environment() -> String {
    "the master key is in WEBMETEOR_MASTER_KEY, so it is yours to replace:\n  1. Make a key: openssl rand -hex 32\n  2. Where \
     several processes run, add it to WEBMETEOR_OLD_MASTER_KEYS of all of them and start them again,\n     one after the \
     other: from now on each opens what another seals with it.\n  3. Put it into WEBMETEOR_MASTER_KEY, the key of now into \
     WEBMETEOR_OLD_MASTER_KEYS, and start all again.\n  4. Run `webmeteor keys rotate` with these settings: it seals \
     everything anew, and says what to do then."
        .to_owned()
}

async fn rotate_signing(platform: &Platform, revoke: bool) -> anyhow::Result<String> {
    let made = signing::rotate(platform, &Actor::nobody(), OffsetDateTime::now_utc(), revoke).await?;
    let at = |time: OffsetDateTime| {
        time.to_offset(UtcOffset::UTC).format(format_description!("[hour]:[minute]:[second] UTC")).unwrap_or_default()
    };
    Ok(if revoke {
        format!("The key {} signs from now on. All access tokens have ended; refresh tokens have not.", made.id)
    } else {
        format!(
            "The key {} signs from {} on. Tokens of the key before are good until they expire; it is forgotten after {}.",
            made.id,
            at(made.signs_from),
            at(made.old_until)
        )
    })
}
