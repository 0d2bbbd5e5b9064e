//! The queue as people see it: what waits, in which order it will begin, and what it waits for.

use crate::{Platform, Result, access};
use model::{
    Actor, DeploymentId, EnvironmentId, TeamId,
    deployment::Status,
    views::{QueueItem, QueueView, Quota, WaitsFor},
};
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};
use store::queue::OpenRow;
use time::OffsetDateTime;

/// What waits and what runs: of the caller's teams, or all of it for an administrator of the platform. Positions count
/// everybody's deployments.
///
/// # Errors
/// The database's.
pub async fn list(platform: &Platform, actor: &Actor) -> Result<QueueView> {
    access::may_read(actor)?;
    let mut conn = platform.pool.acquire().await?;
    let rows = store::queue::open_of_all_teams(&mut conn, platform.settings.quotas.get(Quota::Builds)).await?;
    let places = places(&rows.iter().map(Turn::of).collect::<Vec<_>>(), OffsetDateTime::now_utc());
    let may_see = |row: &OpenRow| {
        (actor.is_admin || actor.role_in(row.team_id).is_some()) && access::is_known(actor, row.site_id)
    };
    let (seen, hidden): (Vec<_>, Vec<_>) = rows.iter().zip(places).partition(|(row, _)| may_see(row));
    let mut items: Vec<QueueItem> = seen.into_iter().map(|(row, place)| item(row, place)).collect();
    items.sort_by_key(|item| (item.position.unwrap_or(0), item.created_at));
    Ok(QueueView { items, others: hidden.len(), at_once: platform.settings.build_concurrency })
}

/// Where one deployment stands in the queue; `None` if it does not wait.
pub(crate) async fn place(
    platform: &Platform,
    conn: &mut PgConnection,
    id: DeploymentId,
) -> sqlx::Result<Option<Place>> {
    let rows = store::queue::open_of_all_teams(conn, platform.settings.quotas.get(Quota::Builds)).await?;
    let places = places(&rows.iter().map(Turn::of).collect::<Vec<_>>(), OffsetDateTime::now_utc());
    Ok(rows.iter().zip(places).find(|(row, _)| row.id == id).and_then(|(_, place)| place))
}

/// A place in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// How many begin before it; 0 is next.
    pub position: i64,
    /// What it waits for.
    pub waits_for: WaitsFor,
}

/// What decides whose turn it is.
#[derive(Debug, Clone)]
struct Turn {
    id: DeploymentId,
    team: TeamId,
    team_served: Option<OffsetDateTime>,
    environment: EnvironmentId,
    number: i64,
    waits: bool,
    builds: bool,
    is_building: bool,
    builds_allowed: Option<i64>,
    not_before: Option<OffsetDateTime>,
}

impl Turn {
    fn of(row: &OpenRow) -> Self {
        Self {
            id: row.id,
            team: row.team_id,
            team_served: row.team_last_turn,
            environment: row.environment_id,
            number: row.number,
            waits: row.status() == Status::Queued,
            builds: row.is_build,
            is_building: row.is_build && matches!(row.status(), Status::Fetching | Status::Building),
            builds_allowed: row.team_builds,
            not_before: row.not_before,
        }
    }
}

/// Decides in which order what waits will begin, as [`store::queue::claim`] will: the team with the fewest at work
/// first, then the one whose last turn is longest ago, then the oldest. Pure. What waits for another deployment of its
/// environment, for its team's other builds or for its next try stands behind what could begin now; `None` for what runs.
fn places(rows: &[Turn], now: OffsetDateTime) -> Vec<Option<Place>> {
    let mut working: BTreeMap<TeamId, usize> = BTreeMap::new();
    let mut last_turn: BTreeMap<TeamId, Option<OffsetDateTime>> = BTreeMap::new();
    let mut busy: BTreeMap<EnvironmentId, i64> = BTreeMap::new();
    let mut building: BTreeMap<TeamId, i64> = BTreeMap::new();
    for row in rows {
        *building.entry(row.team).or_default() += i64::from(row.is_building);
        last_turn.insert(row.team, row.team_served);
        if !row.waits {
            *working.entry(row.team).or_default() += 1;
            busy.insert(row.environment, row.number);
        }
    }
    let waits_for = |row: &Turn| match (row.not_before, busy.get(&row.environment)) {
        (Some(at), _) if at > now => WaitsFor::Retry { at },
        (_, Some(number)) => WaitsFor::Environment { number: *number },
        _ if row.builds && row.builds_allowed.is_some_and(|most| building[&row.team] >= most) => WaitsFor::Quota,
        _ => WaitsFor::Turn,
    };
    let mut places: Vec<Option<Place>> = vec![None; rows.len()];
    let mut open: BTreeSet<usize> = rows.iter().enumerate().filter(|(_, row)| row.waits).map(|(at, _)| at).collect();
    let mut position = 0;
    while !open.is_empty() {
        let ready = |at: &&usize| waits_for(&rows[**at]) == WaitsFor::Turn;
        let key = |at: &&usize| {
            let row = &rows[**at];
            (working.get(&row.team).copied().unwrap_or_default(), last_turn[&row.team], row.id)
        };
        let next = open.iter().filter(ready).min_by_key(key).or_else(|| open.iter().min_by_key(key)).copied();
        let Some(next) = next else { break };
        open.remove(&next);
        let row = &rows[next];
        places[next] = Some(Place { position, waits_for: waits_for(row) });
        position += 1;
        *working.entry(row.team).or_default() += 1;
        last_turn.insert(row.team, Some(now + time::Duration::milliseconds(position)));
    }
    places
}

fn item(row: &OpenRow, place: Option<Place>) -> QueueItem {
    let (position, waits_for) = place.map(|place| (place.position, place.waits_for)).unzip();
    QueueItem {
        deployment_id: row.id,
        number: row.number,
        site_id: row.site_id,
        site_name: row.site_name.clone(),
        team_name: row.team_name.clone(),
        environment: row.environment.clone(),
        status: row.status(),
        position,
        waits_for,
        created_at: row.created_at,
        started_at: row.started_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Team(TeamId, Option<OffsetDateTime>);

    fn now() -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap()
    }
    fn turn(team: &Team, environment: EnvironmentId, waits: bool) -> Turn {
        let (id, number, not_before) = (DeploymentId::new(), 1, None);
        let (builds, is_building, builds_allowed) = (true, !waits, None);
        let (team, team_served) = (team.0, team.1);
        Turn { id, team, team_served, environment, number, waits, builds, is_building, builds_allowed, not_before }
    }
    fn positions(rows: &[Turn]) -> Vec<Option<i64>> {
        places(rows, now()).into_iter().map(|place| place.map(|place| place.position)).collect()
    }

    #[test]
    fn one_push_of_a_team_does_not_stand_behind_all_of_another() {
        let (many, one) = (Team(TeamId::new(), Some(now())), Team(TeamId::new(), None));
        let mut rows: Vec<Turn> = (0..200).map(|_| turn(&many, EnvironmentId::new(), true)).collect();
        rows.push(turn(&one, EnvironmentId::new(), true));
        assert_eq!(positions(&rows)[200], Some(0));
        assert_eq!(positions(&rows)[0], Some(1));
    }

    #[test]
    fn teams_take_turns() {
        let (a, b) = (Team(TeamId::new(), None), Team(TeamId::new(), None));
        let rows: Vec<Turn> = [&a, &a, &b, &b].into_iter().map(|team| turn(team, EnvironmentId::new(), true)).collect();
        assert_eq!(positions(&rows), [Some(0), Some(2), Some(1), Some(3)]);
    }

    #[test]
    fn what_waits_for_the_teams_quota_of_builds_lets_others_pass() {
        let (busy, calm) = (Team(TeamId::new(), None), Team(TeamId::new(), Some(now())));
        let most = |row: Turn, most| Turn { builds_allowed: Some(most), ..row };
        let running = most(turn(&busy, EnvironmentId::new(), false), 1);
        let held = most(turn(&busy, EnvironmentId::new(), true), 1);
        let back = Turn { builds: false, ..most(turn(&busy, EnvironmentId::new(), true), 1) };
        let other = turn(&calm, EnvironmentId::new(), true);
        let places = places(&[running, held, back, other], now());
        assert_eq!(places[1], Some(Place { position: 2, waits_for: WaitsFor::Quota }));
        assert_eq!(places[2].as_ref().unwrap().waits_for, WaitsFor::Turn, "it builds nothing");
        assert_eq!(places[3].as_ref().unwrap().position, 0);
    }

    #[test]
    fn what_cannot_begin_says_what_it_waits_for_and_stands_last() {
        let team = Team(TeamId::new(), None);
        let busy = EnvironmentId::new();
        let running = turn(&team, busy, false);
        let blocked = turn(&team, busy, true);
        let at = now() + time::Duration::seconds(9);
        let later = Turn { not_before: Some(at), ..turn(&team, EnvironmentId::new(), true) };
        let free = turn(&team, EnvironmentId::new(), true);
        let number = running.number;
        let places = places(&[running, blocked, later, free], now());
        assert_eq!(places[0], None);
        assert_eq!(places[1].as_ref().unwrap().waits_for, WaitsFor::Environment { number });
        assert_eq!(places[2].as_ref().unwrap().waits_for, WaitsFor::Retry { at });
        assert_eq!(places[3], Some(Place { position: 0, waits_for: WaitsFor::Turn }));
    }
}
