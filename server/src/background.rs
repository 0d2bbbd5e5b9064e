//! What runs beside the requests.

use crate::{
    serve::{Options, Role},
    sessions,
    state::AppState,
    waker,
};
use platform::{disk, domains, mail, quotas, reconcile, reports, repositories, signing, watch, worker};
use tokio_util::task::TaskTracker;

/// Starts it all; every task ends by itself once the process stops. Events are told after the row `last_event`.
pub fn start(state: &AppState, last_event: i64, options: &Options) -> TaskTracker {
    let tasks = TaskTracker::new();
    let stop = || state.stopping.clone();
    tasks.spawn(waker::run(state.clone(), last_event, stop()));
    if options.has(Role::Web) {
        tasks.spawn(repositories::run(state.platform.clone(), options.is_whole(), stop()));
    }
    if options.has(Role::Worker) {
        tasks.spawn(worker::run(state.platform.clone(), stop()));
        tasks.spawn(reconcile::run(state.platform.clone(), stop()));
        tasks.spawn(watch::run(state.platform.clone(), stop()));
        tasks.spawn(reports::run(state.platform.clone(), stop()));
        tasks.spawn(mail::sender::run(state.platform.clone(), stop()));
        tasks.spawn(disk::run(state.platform.clone(), stop()));
        tasks.spawn(quotas::disk::run(state.platform.clone(), stop()));
        tasks.spawn(domains::run(state.platform.clone(), stop()));
    }
    tasks.spawn(signing::run(state.platform.clone(), stop()));
    tasks.spawn(sessions::sweep(state.platform.clone(), stop()));
    tasks.close();
    tasks
}
