//! New access keys. IAM tells a secret once, in the answer to the call that makes the key; so a key whose answer was lost
//! is of no use to anybody, and is taken away before another is made.

use std::collections::BTreeSet;

use trueup_model::UserName;
use trueup_planner::{Action, Call, NewKeyTag};

use crate::{
    failure::CallError,
    look::Page,
    perform::undelivered,
    report::{Because, Failure, Outcome},
    run::{Run, Stuck},
    secret::Secret,
    send::{Supplement, send},
};

/// How often a key is told to go that nobody can use.
const TRIES_TO_DELETE: u32 = 5;

impl Run<'_> {
    /// The key that a tag is to be named after.
    pub(crate) fn new_key(&self, call: &Call) -> Result<Option<String>, Outcome> {
        let Call::TagUser {
            new_key: Some(NewKeyTag { created_by, .. }),
            ..
        } = call
        else {
            return Ok(None);
        };
        self.key_of(*created_by).map(Some).ok_or_else(|| Outcome::Failed {
            error: Failure::new(format!("action {created_by} was answered without an access key")),
        })
    }

    /// Notes which keys a user has before one more is made, so that one whose answer is lost can be told from them.
    pub(crate) async fn keys_before(&self, action: &Action) -> Result<(), Outcome> {
        let Call::CreateAccessKey { user_name } = &action.call else {
            return Ok(());
        };
        match self.key_ids(user_name).await {
            Ok(ids) => {
                self.note_keys_before(action.id, ids);
                Ok(())
            }
            Err(Stuck::Interrupted) => Err(Outcome::NotAttempted {
                because: Because::Interrupted,
            }),
            Err(Stuck::Failed(error)) => Err(Outcome::Failed {
                error: failure(error, "cannot see which access keys there are"),
            }),
        }
    }

    /// Hands a new key over. When this ends well, the file with its secret would survive a power failure; otherwise the
    /// key is taken away again.
    pub(crate) async fn keep_key(&self, action: &Action, id: String, secret: Secret, others: bool) -> Outcome {
        let Call::CreateAccessKey { user_name } = &action.call else {
            return Outcome::Done {
                version: None,
                access_key: Some(id),
            };
        };
        let delivered = self.credentials.deliver_key(user_name, self.journal.run(), &id, secret);
        match delivered {
            Ok(paths) => self.note_credential_files(action.id, paths),
            Err(error) => {
                let mut error = undelivered(&error);
                match self.delete_key(user_name, &id).await {
                    Ok(()) => error.message += "; the new access key was deleted again",
                    Err(_) => {
                        error.message += &format!("; the access key {id} is left, whose secret nobody has");
                        error.outcome_unknown = true;
                    }
                }
                return Outcome::Failed { error };
            }
        }
        if others {
            let mut keep = BTreeSet::from([id.clone()]);
            if let Err(error) = self.delete_unknown_keys(action, user_name, &mut keep).await {
                tracing::warn!(%error, user = user_name.as_str(), "an access key whose answer was lost may be left");
            }
        }
        Outcome::Done {
            version: None,
            access_key: Some(id),
        }
    }

    /// Takes away what a creation made whose answer was lost, before it is sent again. An error: it cannot be seen.
    pub(crate) async fn sweep_lost_keys(&self, action: &Action) -> Option<Failure> {
        let Call::CreateAccessKey { user_name } = &action.call else {
            return None;
        };
        self.delete_unknown_keys(action, user_name, &mut BTreeSet::new())
            .await
            .err()
            .map(|message| Failure {
                outcome_unknown: true,
                ..Failure::new(format!(
                    "the answer was lost, and {message}; if there is a new access key, nobody has its secret, and the \
                     next run replaces it"
                ))
            })
    }

    async fn delete_unknown_keys(
        &self,
        action: &Action,
        user: &UserName,
        keep: &mut BTreeSet<String>,
    ) -> Result<(), String> {
        let ids = self.key_ids(user).await.map_err(|stuck| match stuck {
            Stuck::Interrupted => "the run was interrupted before anything was to be seen".to_owned(),
            Stuck::Failed(error) => format!("it cannot be seen which access keys there are: {}", error.text()),
        })?;
        for id in ids {
            if keep.contains(&id) || self.had_before(action.id, &id) || self.made_key(&id) {
                continue;
            }
            self.delete_key(user, &id)
                .await
                .map_err(|error| format!("the access key {id} cannot be deleted: {}", error.text()))?;
        }
        Ok(())
    }

    async fn key_ids(&self, user: &UserName) -> Result<BTreeSet<String>, Stuck> {
        let page = |marker: Option<String>| async {
            let call = self.iam.list_access_keys().user_name(user.as_str());
            let page = call.set_marker(marker).send().await.map_err(CallError::from_sdk)?;
            Ok(Page::of(page.access_key_metadata, page.is_truncated, page.marker))
        };
        let keys = self.all("ListAccessKeys", page).await?;
        Ok(keys.into_iter().filter_map(|key| key.access_key_id).collect())
    }

    async fn delete_key(&self, user: &UserName, id: &str) -> Result<(), CallError> {
        let call = Call::DeleteAccessKey {
            user_name: user.clone(),
            access_key_id: id.to_owned(),
        };
        let mut failed = 0;
        loop {
            self.leave_to_send(call.operation()).await;
            let error = match send(&self.iam, &call, &Supplement::default()).await {
                Ok(_) => return Ok(()),
                Err(error) if error.is("NoSuchEntity") => return Ok(()),
                Err(error) => error,
            };
            failed += 1;
            if failed >= TRIES_TO_DELETE {
                return Err(error);
            }
            // Not cut short by an interruption: a key is not left behind for want of a second.
            tokio::time::sleep(self.pause(crate::retry::Verdict::NoAnswer, failed)).await;
        }
    }
}

fn failure(error: CallError, why: &str) -> Failure {
    Failure {
        message: format!("{why}: {}", error.text()),
        code: error.code,
        request_id: error.request_id,
        outcome_unknown: false,
    }
}
