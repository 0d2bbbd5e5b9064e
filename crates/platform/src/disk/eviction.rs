//! Which layers of builds go when they take too much room: those that no image is built upon, least recently used
//! first. Pure.

use docker::{Image, ImageId};
use std::collections::{BTreeMap, BTreeSet};
use time::OffsetDateTime;

/// What an image adds to the one that it is built upon.
pub(super) fn own_bytes(image: &Image, all: &BTreeMap<&ImageId, &Image>) -> u64 {
    let below = image.parent.as_ref().and_then(|parent| all.get(parent)).map_or(0, |parent| parent.size_bytes);
    image.size_bytes.saturating_sub(below)
}

/// Images by their ids.
pub(super) fn by_id(images: &[Image]) -> BTreeMap<&ImageId, &Image> {
    images.iter().map(|image| (&image.id, image)).collect()
}

/// Bytes of these images, each layer once; those they share with others are counted.
pub(super) fn total<'a>(some: impl IntoIterator<Item = &'a Image>, all: &BTreeMap<&ImageId, &Image>) -> u64 {
    some.into_iter().map(|image| own_bytes(image, all)).sum()
}

/// How layers are judged.
pub(super) struct Judgement<'a> {
    /// It may be removed: it is ours, and no release's.
    pub is_cache: &'a dyn Fn(&Image) -> bool,
    /// When a build used it last.
    pub last_use: &'a dyn Fn(&Image) -> OffsetDateTime,
    /// What was used since then may be in use by a build that runs.
    pub in_use_since: OffsetDateTime,
}

/// What to remove, in this order, to free at least `bytes`; all that may go if that is not enough. A layer that others
/// are built upon goes after them.
pub(super) fn plan(images: &[Image], judgement: &Judgement<'_>, bytes: u64) -> Vec<ImageId> {
    let all = by_id(images);
    let mut built_upon: BTreeMap<&ImageId, usize> = BTreeMap::new();
    for parent in images.iter().filter_map(|image| image.parent.as_ref()) {
        *built_upon.entry(parent).or_default() += 1;
    }
    let may_go = |image: &Image| {
        image.tags.is_empty() && (judgement.is_cache)(image) && (judgement.last_use)(image) < judgement.in_use_since
    };
    let mut leaves: BTreeSet<(OffsetDateTime, &ImageId)> = images
        .iter()
        .filter(|image| !built_upon.contains_key(&image.id) && may_go(image))
        .map(|image| ((judgement.last_use)(image), &image.id))
        .collect();
    let (mut freed, mut out) = (0, vec![]);
    while freed < bytes
        && let Some((_, id)) = leaves.pop_first()
    {
        let Some(image) = all.get(id) else { continue };
        freed += own_bytes(image, &all);
        out.push(id.clone());
        let Some(parent) = image.parent.as_ref().and_then(|parent| all.get(parent)) else { continue };
        if let Some(count) = built_upon.get_mut(&parent.id) {
            *count -= 1;
            if *count == 0 && may_go(parent) {
                leaves.insert(((judgement.last_use)(parent), &parent.id));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use docker::Labels;
    use time::{Duration, macros::datetime};

    const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

    /// `id`, what it is built upon, its own size; made `age` minutes ago.
    fn image(id: &str, parent: Option<(&str, u64)>, own: u64, age: i64, ours: bool) -> Image {
        Image {
            id: ImageId(id.into()),
            tags: vec![],
            labels: if ours { Labels::from([("ours".into(), String::new())]) } else { Labels::new() },
            parent: parent.map(|(id, _)| ImageId(id.into())),
            created_at: Some(NOW - Duration::minutes(age)),
            size_bytes: parent.map_or(0, |(_, size)| size) + own,
            exposed_ports: vec![],
        }
    }

    fn planned(images: &[Image], since: OffsetDateTime, bytes: u64) -> Vec<String> {
        let judgement = Judgement {
            is_cache: &|image| image.labels.contains_key("ours"),
            last_use: &|image| image.created_at.unwrap(),
            in_use_since: since,
        };
        plan(images, &judgement, bytes).into_iter().map(|id| id.0).collect()
    }

    fn tagged(mut image: Image) -> Image {
        image.tags = vec!["t".into()];
        image
    }

    #[test]
    fn the_least_recently_used_goes_first_and_only_as_much_as_is_needed() {
        let images = [
            image("base", None, 100, 900, false),
            image("old", Some(("base", 100)), 10, 50, true),
            image("new", Some(("base", 100)), 10, 5, true),
            image("middle", Some(("base", 100)), 10, 20, true),
        ];
        assert_eq!(planned(&images, NOW, 1), ["old"]);
        assert_eq!(planned(&images, NOW, 11), ["old", "middle"]);
        assert_eq!(planned(&images, NOW, 10_000), ["old", "middle", "new"]);
        assert!(planned(&images, NOW, 0).is_empty());
    }

    #[test]
    fn a_layer_goes_after_all_that_is_built_upon_it() {
        let images = [
            image("base", None, 100, 900, false),
            image("a", Some(("base", 100)), 10, 50, true),
            image("b", Some(("a", 110)), 10, 40, true),
            image("c", Some(("a", 110)), 10, 30, true),
        ];
        assert_eq!(planned(&images, NOW, 10_000), ["b", "c", "a"]);
    }

    #[test]
    fn what_a_release_or_somebody_else_needs_stays_with_all_below_it() {
        let images = [
            image("base", None, 100, 900, false),
            image("a", Some(("base", 100)), 10, 50, true),
            tagged(image("release", Some(("a", 110)), 10, 40, true)),
            image("theirs", Some(("base", 100)), 10, 60, false),
            image("theirs, untagged", None, 10, 60, false),
            image("x", Some(("base", 100)), 10, 50, true),
            image("theirs upon ours", Some(("x", 110)), 10, 50, false),
        ];
        assert!(planned(&images, NOW, 10_000).is_empty());
    }

    #[test]
    fn what_a_running_build_may_use_stays() {
        let images = [image("old", None, 10, 50, true), image("fresh", None, 10, 1, true)];
        assert_eq!(planned(&images, NOW - Duration::minutes(10), 10_000), ["old"]);
    }

    #[test]
    fn each_layer_is_counted_once() {
        let images = [
            image("base", None, 100, 900, false),
            image("a", Some(("base", 100)), 10, 50, true),
            tagged(image("one", Some(("a", 110)), 3, 40, true)),
            tagged(image("two", Some(("a", 110)), 4, 40, true)),
        ];
        let all = by_id(&images);
        assert_eq!(total(images.iter().filter(|image| image.labels.contains_key("ours")), &all), 17);
    }
}
