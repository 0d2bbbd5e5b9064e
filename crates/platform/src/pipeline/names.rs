//! Names in Docker are made of the team's and the site's, so two installations on one engine may want the same: what
//! another one made is never taken for one's own.

use super::{Run, Stop};
use crate::labels::INSTANCE;
use docker::Labels;
use model::{deployment::FailureCode, plan::ReleasePlan};

/// Fails if the plan's network, or one of its volumes, is another installation's. Containers are on the network, so
/// theirs need no look. What bears no installation's label was made by hand, by `docker compose up` say, and is taken.
pub(super) async fn are_own(run: &Run, plan: &ReleasePlan) -> Result<(), Stop> {
    let engine = &run.platform.engine;
    let all = Labels::new();
    let (networks, volumes) = tokio::try_join!(engine.list_networks(&all), engine.list_volumes(&all))?;
    let there =
        networks.iter().map(|it| (&*it.name, &it.labels)).chain(volumes.iter().map(|it| (&*it.name, &it.labels)));
    let wanted = |name: &str| name == plan.network.name || plan.volumes.contains_key(name);
    let Some((name, other)) = others(there.filter(|(name, _)| wanted(name)), &run.platform.settings.instance) else {
        return Ok(());
    };
    Err(Stop::failed(
        FailureCode::NameTaken,
        format!("“{name}” belongs to another WebMeteor on this engine ({INSTANCE}={other})."),
    ))
}

/// The first thing that another installation made, and that one's label.
fn others<'a>(there: impl Iterator<Item = (&'a str, &'a Labels)>, own: &str) -> Option<(&'a str, &'a str)> {
    there.filter_map(|(name, labels)| Some((name, labels.get(INSTANCE)?.as_str()))).find(|(_, of)| *of != own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_bears_the_label_of_another_installation_is_refused() {
        let of = |instance: &str| Labels::from([(INSTANCE.to_owned(), instance.to_owned())]);
        let (own, other, by_hand) = (of("one"), of("two"), Labels::new());
        let there = [("team-site-network", &own), ("team-site-db", &by_hand)];
        assert_eq!(others(there.into_iter(), "one"), None);
        let there = [("team-site-network", &own), ("team-site-db", &other)];
        assert_eq!(others(there.into_iter(), "one"), Some(("team-site-db", "two")));
    }
}
