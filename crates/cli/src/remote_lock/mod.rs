//! `--lock s3://BUCKET/KEY`: one run at a time, wherever it runs.
//!
//! The lock is an object that is written only where there is none, says whose it is, and is anybody's when its holder
//! has not renewed it for the length of a lease. Whoever cannot renew it stops before the next write.

mod lease;
mod object;

use std::{str::FromStr, sync::Arc, time::Duration};

use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
};
use trueup_executor::RunId;
use trueup_model::AccountId;

pub(crate) use self::{lease::Owner, object::Access};
use self::{
    lease::{Lease, Validity},
    object::{Answer, Failure, If, Object, Outcome},
};
use crate::exit::CliError;

/// How often an expired or vanished lock is tried for: somebody else may be quicker each time.
const TRIES: u32 = 5;

/// The value of `--lock`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObjectUrl {
    bucket: String,
    key: String,
}

impl ObjectUrl {
    /// What the requests for a lock take, on the object alone: nothing is listed.
    pub(crate) const ACTIONS: [&str; 3] = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"];

    pub(crate) fn bucket(&self) -> &str {
        &self.bucket
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }
}

impl FromStr for ObjectUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
        let is_bucket = |name: &str| {
            (3..=63).contains(&name.len())
                && name
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b))
        };
        match parts {
            Some((bucket, key)) if is_bucket(bucket) && !key.is_empty() && !key.ends_with('/') => Ok(Self {
                bucket: bucket.to_owned(),
                key: key.to_owned(),
            }),
            _ => Err("expected s3://BUCKET/KEY"),
        }
    }
}

impl std::fmt::Display for ObjectUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// A lock that this process holds, and renews until it is released.
#[derive(Debug)]
pub(crate) struct RemoteLock {
    url: ObjectUrl,
    object: Arc<Object>,
    validity: Arc<Validity>,
    lost: watch::Receiver<Option<String>>,
    stop: oneshot::Sender<()>,
    /// Ends with the version of the object that is ours.
    renewing: JoinHandle<Option<String>>,
}

impl RemoteLock {
    /// Takes the lock.
    pub(crate) async fn take(
        url: &ObjectUrl,
        access: Access,
        account: &AccountId,
        owner: Owner,
        lease: Duration,
    ) -> Result<Self, CliError> {
        let object = Object::new(url.clone(), access).map_err(failed("take", url))?;
        let id = RunId::generate(jiff::Timestamp::now()).to_string();
        let wanted = Lease::new(id, account.to_string(), owner, lease);
        let (etag, written) = acquire(&object, url, &wanted).await?;
        let object = Arc::new(object);
        let validity = Arc::new(Validity::new(lease, written));
        let (stop, stopped) = oneshot::channel();
        let (sender, lost) = watch::channel(None);
        let keeper = Keeper {
            object: Arc::clone(&object),
            validity: Arc::clone(&validity),
            lease: wanted,
            etag,
        };
        let renewing = tokio::spawn(keeper.keep(lease / 4, stopped, sender));
        Ok(Self {
            url: url.clone(),
            object,
            validity,
            lost,
            stop,
            renewing,
        })
    }

    /// Whether this process may still write: asked before each write.
    pub(crate) fn fence(&self) -> Arc<dyn Fn() -> bool + Send + Sync> {
        let validity = Arc::clone(&self.validity);
        Arc::new(move || validity.holds())
    }

    /// Returns once the lock is lost.
    pub(crate) async fn lost(&self) {
        let mut lost = self.lost.clone();
        if lost.wait_for(Option::is_some).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// An error where the lock is lost.
    pub(crate) fn check(&self, written: bool) -> Result<(), CliError> {
        let why = self.lost.borrow().clone();
        if why.is_none() && self.validity.holds() {
            return Ok(());
        }
        Err(CliError::LockLost {
            lock: self.url.to_string(),
            why: why.unwrap_or_else(|| "it could not be renewed in time".to_owned()),
            written,
        })
    }

    /// Gives the lock back. One that is lost already is left to whoever has it.
    pub(crate) async fn release(self) -> Result<(), CliError> {
        let _ = self.stop.send(());
        let Ok(Some(etag)) = self.renewing.await else {
            return Ok(());
        };
        self.object.remove(&etag).await.map_err(failed("release", &self.url))?;
        Ok(())
    }
}

fn failed(action: &'static str, url: &ObjectUrl) -> impl FnOnce(Failure) -> CliError {
    let lock = url.to_string();
    move |failure| match failure {
        Failure::Credentials(problem) => CliError::LockCredentials { action, lock, problem },
        Failure::Other(problem) => CliError::LockStore { action, lock, problem },
    }
}

/// Writes the lease where there is none, or one that is over. The answer is the object's version, and the moment before
/// it was written.
async fn acquire(
    object: &Object,
    url: &ObjectUrl,
    wanted: &Lease,
) -> Result<(String, (tokio::time::Instant, jiff::Timestamp)), CliError> {
    let body = wanted.to_bytes();
    for _ in 0..TRIES {
        let before = Validity::now();
        match object.write(If::Absent, &body).await.map_err(failed("take", url))? {
            Outcome::Done(Answer { etag, .. }) => {
                // A store that does not know conditions would give everybody the lock.
                return match object.write(If::Absent, &body).await.map_err(failed("take", url))? {
                    Outcome::NotSo => Ok((etag, before)),
                    Outcome::Done(_) | Outcome::Absent => Err(CliError::LockStore {
                        action: "take",
                        lock: url.to_string(),
                        problem: "the store does not know conditional writes (If-None-Match)".to_owned(),
                    }),
                };
            }
            Outcome::NotSo => {}
            Outcome::Absent => continue,
        }
        let Outcome::Done(answer) = object.read().await.map_err(failed("read", url))? else {
            continue;
        };
        let found = read_lease(&answer.body, url)?;
        if found.id == wanted.id {
            // Our own write, whose answer was lost.
            return Ok((answer.etag, before));
        }
        if !found.is_over(answer.age) {
            return Err(CliError::LockHeld {
                account: found.account.clone(),
                holder: found.to_string(),
                id: found.id,
                lock: url.to_string(),
                lease: found.lease_seconds,
            });
        }
        let before = Validity::now();
        let taken = object.write(If::Same(&answer.etag), &body).await;
        if let Outcome::Done(Answer { etag, .. }) = taken.map_err(failed("take", url))? {
            return Ok((etag, before));
        }
    }
    Err(CliError::LockStore {
        action: "take",
        lock: url.to_string(),
        problem: "others are quicker each time".to_owned(),
    })
}

fn read_lease(body: &[u8], url: &ObjectUrl) -> Result<Lease, CliError> {
    Lease::read(body).map_err(|error| CliError::LockStore {
        action: "read",
        lock: url.to_string(),
        problem: format!("what is there is no lock of trueup ({error})"),
    })
}

/// Renews a lock.
struct Keeper {
    object: Arc<Object>,
    validity: Arc<Validity>,
    lease: Lease,
    etag: String,
}

impl Keeper {
    /// Renews until it is stopped or the lock is lost; the answer is the object's version while it is ours.
    async fn keep(
        mut self,
        every: Duration,
        mut stopped: oneshot::Receiver<()>,
        lost: watch::Sender<Option<String>>,
    ) -> Option<String> {
        let mut last_failure = None;
        let mut pause = every;
        loop {
            tokio::select! {
                _ = &mut stopped => return Some(self.etag),
                () = tokio::time::sleep(pause) => {}
            }
            let why = match self.renew().await {
                Ok(None) => {
                    last_failure = None;
                    pause = every;
                    continue;
                }
                Ok(Some(why)) => why,
                Err(failure) => {
                    let failure = failure.to_string();
                    if self.validity.holds() {
                        last_failure = Some(failure);
                        pause = Duration::from_secs(1).min(every);
                        continue;
                    }
                    let failure = last_failure.unwrap_or(failure);
                    format!("it could not be renewed in time ({failure})")
                }
            };
            self.validity.lose();
            lost.send_replace(Some(why));
            return None;
        }
    }

    /// Writes the lease again. The answer says why it is lost, if it is.
    async fn renew(&mut self) -> Result<Option<String>, Failure> {
        for _ in 0..TRIES {
            let before = Validity::now();
            self.lease.renewals += 1;
            let body = self.lease.to_bytes();
            if let Outcome::Done(Answer { etag, .. }) = self.object.write(If::Same(&self.etag), &body).await? {
                self.etag = etag;
                self.validity.renew(before);
                return Ok(None);
            }
            let found = match self.object.read().await? {
                Outcome::Done(answer) => Lease::read(&answer.body).map(|found| (found, answer.etag)),
                Outcome::Absent | Outcome::NotSo => return Ok(Some("somebody has removed it".to_owned())),
            };
            match found {
                // Ours all the same, where the answer to an earlier renewal was lost.
                Ok((found, etag)) if found.id == self.lease.id => self.etag = etag,
                Ok((found, _)) => return Ok(Some(format!("{found} has taken it"))),
                Err(_) => return Ok(Some("something else is in its place".to_owned())),
            }
        }
        Err(Failure::Other("it changes each time".to_owned()))
    }
}

/// Removes the lock of a run that is gone. The answer is whose it was.
pub(crate) async fn force(url: &ObjectUrl, access: Access, id: &str) -> Result<String, CliError> {
    let object = Object::new(url.clone(), access).map_err(failed("remove", url))?;
    let Outcome::Done(answer) = object.read().await.map_err(failed("read", url))? else {
        return Err(CliError::refused(
            format!("there is no lock at {url}"),
            "nothing keeps a run from beginning",
        ));
    };
    let found = read_lease(&answer.body, url)?;
    if found.id != id {
        return Err(CliError::refused(
            format!("the lock at {url} is {}, of {found}, and not `{id}`", found.id),
            "another run holds it by now",
        ));
    }
    // It may have been renewed meanwhile, and is that of the same run still.
    match object.remove(&answer.etag).await.map_err(failed("remove", url))? {
        Outcome::NotSo => Err(CliError::refused(
            format!("the lock at {url} has changed this very moment: {found} is alive"),
            "end that run, and try again",
        )),
        Outcome::Done(_) | Outcome::Absent => Ok(found.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_an_object_of_a_bucket() {
        let url: ObjectUrl = "s3://acme-locks/prod/iam.lock".parse().unwrap();
        assert_eq!((&*url.bucket, &*url.key), ("acme-locks", "prod/iam.lock"));
        assert_eq!(url.to_string(), "s3://acme-locks/prod/iam.lock");
        for bad in [
            "",
            "s3://b",
            "s3://acme",
            "s3://acme/",
            "s3://ACME/x",
            "https://acme/x",
            "s3://a_b/x",
            "s3://acme/x/",
        ] {
            assert!(bad.parse::<ObjectUrl>().is_err(), "{bad}");
        }
    }
}
