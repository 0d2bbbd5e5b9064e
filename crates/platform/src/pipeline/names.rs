//! Names in Docker are made of the team's and the site's, so two installations on one engine may want the same, and so may
//! a site and one that is gone and left its data: what another one made is never taken for one's own.

use super::{Run, Stop};
use crate::labels::{INSTANCE, SITE};
use docker::Labels;
use model::{SiteId, deployment::FailureCode, plan::ReleasePlan};

/// Fails if the plan's network, or one of its volumes, is another installation's, or a volume another site's. Containers
/// are on the network, so theirs need no look. What bears no label was made by hand, by `docker compose up` say, and is
/// taken.
pub(super) async fn are_own(run: &Run, plan: &ReleasePlan) -> Result<(), Stop> {
    let engine = &run.platform.engine;
    let all = Labels::new();
    let (networks, volumes) = tokio::try_join!(engine.list_networks(&all), engine.list_volumes(&all))?;
    let kept = volumes.iter().map(|it| (&*it.name, &it.labels)).filter(|(name, _)| plan.volumes.contains_key(*name));
    if let Some(name) = of_another_site(kept, plan.site) {
        let message =
            format!("The volume “{name}” holds the data of another site, which was deleted and left it here.");
        return Err(Stop::failed(FailureCode::NameTaken, message));
    }
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

/// The first thing that was made for another site than this.
fn of_another_site<'a>(there: impl Iterator<Item = (&'a str, &'a Labels)>, own: SiteId) -> Option<&'a str> {
    let own = own.to_string();
    there.filter_map(|(name, labels)| Some((name, labels.get(SITE)?))).find(|(_, of)| **of != own).map(|(name, _)| name)
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

    #[test]
    fn the_data_that_a_deleted_site_left_is_not_given_to_the_next_of_its_name() {
        let (own, gone) = (SiteId::new(), SiteId::new());
        let of = |site: SiteId| Labels::from([(SITE.to_owned(), site.to_string())]);
        let (mine, left, by_hand) = (of(own), of(gone), Labels::new());
        let there = [("team-site-db", &mine), ("team-site-files", &by_hand)];
        assert_eq!(of_another_site(there.into_iter(), own), None);
        let there = [("team-site-db", &left), ("team-site-files", &mine)];
        assert_eq!(of_another_site(there.into_iter(), own), Some("team-site-db"));
    }
}
