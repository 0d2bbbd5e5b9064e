//! `POST …/git-receive-pack`: takes a push, starts its deployments, and tells how they go.

use super::{
    LIMIT, Names,
    credentials::Caller,
    expect,
    follow::follow,
    note, open,
    pipe::{self, Broken, ToClient, Told},
    protocol,
    refusal::Refusal,
    respond,
};
use crate::state::AppState;
use axum::{
    body::Body,
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use forge::{
    push::{Commands, FLUSH, progress},
    serve::{MAX_PACK, Running, Service},
};
use model::{Actor, Problem};
use platform::repositories::{self, Begun, Repository};
use std::time::Duration;

/// A push may be so much longer than its pack: Git itself, which knows the reason, is to refuse first.
const BODY_MAX: u64 = MAX_PACK + 64 * 1024 * 1024;
/// What a push has not sent so long after the process was told to stop is not waited for.
const GRACE: Duration = Duration::from_secs(5);

/// Takes a push.
pub async fn handle(
    State(state): State<AppState>,
    Caller(actor): Caller,
    Path(names): Names,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let service = Service::ReceivePack;
    expect(&headers, service)?;
    let repository = open(&state, &actor, &names, service).await?;
    let begun = repositories::begin(&state.platform, &actor, &repository).await?;
    let running = Running::answer(&repository.path, service, &protocol(&headers))?;
    let (client, answer) = ToClient::open();
    let pushes = state.pushes.clone();
    let push = Push { state, actor, repository, begun, client };
    // Its own task: what arrived whole is stored and deployed, also when the client does not wait for the answer.
    pushes.spawn(async move { push.take(running, body).await });
    Ok(respond(service, "result", answer))
}

struct Push {
    state: AppState,
    actor: Actor,
    repository: Repository,
    begun: Begun,
    client: ToClient,
}

impl Push {
    async fn take(self, mut running: Running, body: Body) {
        let mut commands = Commands::watching(&self.repository.branches);
        // A client that leaves in the middle closes git's input; git then cleans up after itself, which it could not
        // if it were killed while it holds a lock.
        let look = |bytes: &[u8]| commands.read(bytes);
        let stop = async {
            self.state.stopping.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        let talk = pipe::converse(&mut running, body, BODY_MAX, &self.client, FLUSH.len(), look, stop);
        let Ok(Told { held, request }) = tokio::time::timeout(LIMIT, talk).await else { return };
        note(running.end().await);
        let may_talk = commands.has_side_band && held == FLUSH;
        if may_talk && request == Err(Broken::TooLong) {
            let megabytes = MAX_PACK / (1024 * 1024);
            self.say(&format!("error: A push brings at most {megabytes} MB.")).await;
        }
        if may_talk && request == Err(Broken::CutOff) {
            self.say("error: The platform restarts before all of the push is here; push again in a moment.").await;
        }
        self.deploy(&commands, may_talk).await;
        self.client.send(held).await;
    }

    async fn deploy(&self, commands: &Commands, may_talk: bool) {
        let site = self.repository.site;
        let moved = commands.moved();
        let led_to = match repositories::pushed(&self.state.platform, &self.actor, &self.begun, site, &moved).await {
            Ok(led_to) => led_to,
            Err(error) => {
                let problem = Problem::from(error);
                tracing::warn!(%site, reason = problem.code, "a push is stored and not deployed");
                let what = if problem.status < 500 { "is not deployed" } else { "is deployed as soon as that is over" };
                if may_talk {
                    self.say(&format!("error: The push is stored, and {what}: {}", problem.detail)).await;
                }
                return;
            }
        };
        if !may_talk {
            return;
        }
        if !commands.others.is_empty() {
            let (others, branches) = (commands.others.join(", "), self.repository.branches.join(", "));
            self.say(&format!("Not deployed: {others}. This site deploys: {branches}.")).await;
        }
        for branch in &led_to.deleted {
            self.say(&format!("The branch “{branch}” was deleted; what serves stays as it is.")).await;
        }
        for reason in &led_to.ignored {
            self.say(&format!("Not deployed: {reason}")).await;
        }
        for started in &led_to.started {
            follow(&self.state, &self.actor, started, &self.client).await;
        }
    }

    async fn say(&self, line: &str) -> bool {
        self.client.send(progress(line)).await
    }
}
