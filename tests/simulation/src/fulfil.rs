//! What an account must look like after a run, told from the manifest's meaning without asking the planner.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use trueup_model::{
    Desired, GroupName, InlinePolicyName, Path, PolicyArn, PolicyDocument, PolicyName, Tags, Unmanaged, UserName,
    desired::{
        AccessKeysWish, AfterExpiry, AliasWish, BoundaryWish, DesiredUser, LoginProfileWish, PasswordPolicyWish,
        PolicyRef,
    },
    fold_tag_key,
};

use crate::{
    account::{Account, Holder},
    check::Verdict,
    generate::ACCOUNT,
    reconcile::today,
};

/// Everything that the manifest says is so, and everything that it does not own is byte for byte as it was.
///
/// # Errors
///
/// The first thing that is not.
pub fn is_fulfilled(desired: &Desired, before: &Account, after: &Account) -> Verdict {
    let view = View { desired, before, after };
    view.account()?;
    view.policies()?;
    view.groups()?;
    view.users()?;
    view.nothing_else()
}

struct View<'a> {
    desired: &'a Desired,
    before: &'a Account,
    after: &'a Account,
}

fn require(holds: bool, broken: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(broken()) }
}

fn same(what: &str, before: &Value, after: &Value) -> Verdict {
    require(before == after, || {
        format!("{what} is not owned and has changed from {before} to {after}")
    })
}

/// Whether an entity went away by the manifest's will.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Declared,
    Deleted,
    Left,
    /// Left alone even in its memberships.
    Ignored,
}

impl View<'_> {
    fn account(&self) -> Verdict {
        let account = &self.desired.account;
        let (before, after) = (&self.before.whole, &self.after.whole);
        match &account.alias {
            None => same("the alias", &before["alias"], &after["alias"])?,
            Some(wish) => {
                let wanted = match wish {
                    AliasWish::Absent => None,
                    AliasWish::Present(alias) => Some(alias.as_str()),
                };
                require(after["alias"].as_str() == wanted, || {
                    format!("the alias is {}", after["alias"])
                })?;
            }
        }
        let found = &after["password_policy"];
        match &account.password_policy {
            None => same("the password policy", &before["password_policy"], found),
            Some(PasswordPolicyWish::AwsDefault) => require(found.is_null(), || format!("there is still {found}")),
            Some(PasswordPolicyWish::Custom(policy)) => {
                let wanted = serde_json::to_value(policy).expect("a policy has a JSON form");
                require(*found == wanted, || {
                    format!("the password policy is {found}, not {wanted}")
                })
            }
        }
    }

    fn arn(&self, reference: &PolicyRef) -> String {
        match reference {
            PolicyRef::Arn(arn) => arn.to_string(),
            PolicyRef::Declared(name) => {
                let found = self
                    .after
                    .policies
                    .iter()
                    .find(|(_, policy)| policy.name.eq_ignore_ascii_case(name.as_str()));
                found.map(|(arn, _)| arn.clone()).unwrap_or_default()
            }
        }
    }

    fn policies(&self) -> Verdict {
        let scope = &self.desired.scope;
        for (name, wanted) in &self.desired.policies {
            let found = member(&self.after.whole["policies"], name.as_str());
            let found = found.ok_or_else(|| format!("there is no policy {name}"))?;
            let was = member(&self.before.whole["policies"], name.as_str());
            let path = wanted.path.as_ref().map_or("/", Path::as_str);
            require(was.is_some() || found["path"] == path, || {
                format!("policy {name} is at {}", found["path"])
            })?;
            let default = found["default_version"].to_string();
            let document = found["versions"][default]["document"].as_str().unwrap_or_default();
            let document = PolicyDocument::from_live(document);
            require(document == wanted.document, || {
                format!("policy {name} says {}", document.as_text())
            })?;
            let was_description = was.map_or(wanted.description.as_deref(), |was| was["description"].as_str());
            require(found["description"].as_str() == was_description, || {
                format!("policy {name} has another description")
            })?;
            self.tags(
                &format!("policy {name}"),
                &wanted.tags,
                was.map(|was| &was["tags"]),
                &found["tags"],
                str::to_owned,
            )?;
        }
        for (key, was) in members(&self.before.whole["policies"]) {
            let name = PolicyName::from_live(text(&was["name"]));
            let path = Path::from_live(text(&was["path"]));
            let arn = PolicyArn::from_live(format!("arn:aws:iam::{ACCOUNT}:policy{path}{name}"));
            let standing = if self.desired.policies.contains_key(&name) {
                Standing::Declared
            } else if self.desired.absent.policies.contains_key(&name) {
                Standing::Deleted
            } else if scope.ignores_policy(name.as_str(), &tags_of(was)).is_some() {
                Standing::Ignored
            } else {
                let external = self.desired.external.policies.contains(&arn);
                match self.unowned(&scope.policies, &path, was, external) {
                    // One that somebody else holds is kept.
                    Standing::Deleted if self.is_held(arn.as_str()) => Standing::Left,
                    standing => standing,
                }
            };
            self.leave("policy", key, standing, was, &self.after.whole["policies"][key], &[])?;
        }
        Ok(())
    }

    fn is_held(&self, arn: &str) -> bool {
        let Account {
            users, groups, roles, ..
        } = self.after;
        let of_users = users.values().map(|user| (&user.own, user.boundary.as_deref()));
        let of_roles = roles.values().map(|role| (&role.own, role.boundary.as_deref()));
        let mut all = of_users
            .chain(of_roles)
            .chain(groups.values().map(|group| (group, None)));
        all.any(|(holder, boundary)| holder.attached.contains(arn) || boundary == Some(arn))
    }

    fn groups(&self) -> Verdict {
        for (name, wanted) in &self.desired.groups {
            let found = member(&self.after.whole["groups"], name.as_str())
                .ok_or_else(|| format!("there is no group {name}"))?;
            let what = format!("group {name}");
            let was = std::iter::once(name).chain(&wanted.previously);
            let was = was
                .filter_map(|name| member(&self.before.whole["groups"], name.as_str()))
                .next();
            self.entity(&what, wanted.name.as_str(), wanted.path.as_ref(), was, &found["entity"])?;
            let holder = self
                .after
                .groups
                .get(&text(&found["entity"]["id"]))
                .expect("both come from one account");
            self.holds(&what, holder, &wanted.managed_policies, &wanted.inline_policies)?;
        }
        let scope = &self.desired.scope;
        let renamed: BTreeSet<&GroupName> = self
            .desired
            .groups
            .values()
            .flat_map(|group| &group.previously)
            .collect();
        for (key, was) in members(&self.before.whole["groups"]) {
            let name = GroupName::from_live(text(&was["entity"]["name"]));
            let path = Path::from_live(text(&was["entity"]["path"]));
            let standing = if self.desired.groups.contains_key(&name) || renamed.contains(&name) {
                Standing::Declared
            } else if self.desired.absent.groups.contains_key(&name) {
                Standing::Deleted
            } else if scope.ignores_group(name.as_str()).is_some() {
                Standing::Ignored
            } else {
                let external = self.desired.external.groups.contains(&name);
                match self.unowned(&scope.groups, &path, was, external) {
                    // One that an ignored user is in is kept.
                    Standing::Deleted if self.has_ignored_member(was) => Standing::Left,
                    standing => standing,
                }
            };
            self.leave("group", key, standing, was, &self.after.whole["groups"][key], &[])?;
        }
        Ok(())
    }

    fn has_ignored_member(&self, group: &Value) -> bool {
        let id = &group["entity"]["id"];
        members(&self.before.whole["users"]).any(|(_, user)| {
            let is_member = user["groups"].as_array().is_some_and(|groups| groups.contains(id));
            is_member && self.ignores_user(user)
        })
    }

    fn ignores_user(&self, user: &Value) -> bool {
        let name = UserName::from_live(text(&user["entity"]["name"]));
        let declared = self.desired.users.contains_key(&name)
            || self.desired.users.values().any(|user| user.previously.contains(&name))
            || self.desired.absent.users.contains_key(&name);
        let scope = &self.desired.scope;
        let path = Path::from_live(text(&user["entity"]["path"]));
        let stack = is_of_a_stack(user) && scope.users.contains(&path);
        !declared && (stack || scope.ignores_user(name.as_str(), &tags_of(user)).is_some())
    }

    fn users(&self) -> Verdict {
        for (name, wanted) in &self.desired.users {
            let was = std::iter::once(name).chain(&wanted.previously);
            let was = was
                .filter_map(|name| member(&self.before.whole["users"], name.as_str()))
                .next();
            let found = member(&self.after.whole["users"], name.as_str());
            let expired = wanted
                .expires
                .filter(|expiry| expiry.on < today())
                .map(|expiry| expiry.then);
            let gone = expired == Some(AfterExpiry::Delete) || (expired.is_some() && was.is_none());
            match found {
                Some(found) if !gone => self.user(wanted, was, found, expired.is_some())?,
                found => require(gone == found.is_none(), || {
                    format!("user {name} is there: {}", found.is_some())
                })?,
            }
        }
        let scope = &self.desired.scope;
        let renamed: BTreeSet<&UserName> = self.desired.users.values().flat_map(|user| &user.previously).collect();
        for (key, was) in members(&self.before.whole["users"]) {
            let name = UserName::from_live(text(&was["entity"]["name"]));
            let path = Path::from_live(text(&was["entity"]["path"]));
            let standing = if self.desired.users.contains_key(&name) || renamed.contains(&name) {
                Standing::Declared
            } else if let Some(absent) = self.desired.absent.users.get(&name) {
                if absent.quarantine_days.is_some() {
                    self.quarantined(&name, was)?;
                    continue;
                }
                Standing::Deleted
            } else if self.ignores_user(was) {
                Standing::Ignored
            } else {
                self.unowned(&scope.users, &path, was, false)
            };
            self.leave("user", key, standing, was, &self.after.whole["users"][key], &["groups"])?;
            if standing == Standing::Left {
                self.memberships_of_a_stranger(&name, was)?;
            }
        }
        Ok(())
    }

    /// Somebody in quarantine is there, can do nothing and sign nothing, and holds what it held as far as that is there.
    fn quarantined(&self, name: &UserName, was: &Value) -> Verdict {
        const OURS: [&str; 2] = ["trueup-quarantine", "trueup-transition"];
        let what = format!("user {name}, who is in quarantine,");
        let id = text(&was["entity"]["id"]);
        let before = &self.before.users[&id];
        let Some(after) = self.after.users.get(&id) else {
            return Err(format!("{what} is gone"));
        };
        let denied = after.own.inline.get(OURS[0]);
        let denies = denied.is_some_and(|document| {
            let document = PolicyDocument::from_live(document.as_str());
            let mut statements = document.statements().iter();
            statements.any(|it| it.is_deny() && it.actions().contains(&"*") && it.resources().contains(&"*"))
        });
        require(denies, || format!("{what} is denied nothing"))?;
        let works = after.password || after.keys.values().any(|active| *active);
        require(!works, || format!("{what} can sign in or sign requests"))?;
        let ids = |keys: &BTreeMap<String, bool>| keys.keys().cloned().collect::<BTreeSet<_>>();
        require(ids(&before.keys) == ids(&after.keys), || {
            format!("the keys of {what} are others")
        })?;
        let kept = |policies: &BTreeMap<String, String>| -> BTreeMap<String, String> {
            let theirs = policies.iter().filter(|(name, _)| !OURS.contains(&name.as_str()));
            theirs.map(|(name, text)| (name.clone(), text.clone())).collect()
        };
        require(kept(&before.own.inline) == kept(&after.own.inline), || {
            format!("the inline policies of {what} are others")
        })?;
        let there = |arn: &&String| !arn.contains(ACCOUNT) || self.after.policies.contains_key(*arn);
        let attached: BTreeSet<&String> = before.own.attached.iter().filter(there).collect();
        require(attached == after.own.attached.iter().collect(), || {
            format!("{what} has attached {:?}, not {attached:?}", after.own.attached)
        })?;
        let groups: BTreeSet<&String> = before
            .groups
            .iter()
            .filter(|group| self.after.groups.contains_key(*group))
            .collect();
        require(groups == after.groups.iter().collect(), || {
            format!("{what} is in {:?}, not {groups:?}", after.groups)
        })?;
        require(before.boundary == after.boundary, || {
            format!("the boundary of {what} is another")
        })
    }

    /// Somebody who is not declared leaves the groups that are, and no others.
    fn memberships_of_a_stranger(&self, name: &UserName, was: &Value) -> Verdict {
        let id = text(&was["entity"]["id"]);
        let (before, after) = (&self.before.users[&id].groups, &self.after.users[&id].groups);
        for group in before {
            let kept = after.contains(group);
            let owned = self.after.groups.get(group).is_none_or(|group| {
                self.desired
                    .groups
                    .contains_key(&GroupName::from_live(group.name.as_str()))
            });
            require(kept != owned, || {
                format!("user {name} is kept in group {group}: {kept}, which is owned: {owned}")
            })?;
        }
        require(after.is_subset(before), || {
            format!("user {name} is in a group it was not in")
        })
    }

    fn user(&self, wanted: &DesiredUser, was: Option<&Value>, found: &Value, expired: bool) -> Verdict {
        let name = &wanted.name;
        let what = format!("user {name}");
        self.entity(&what, name.as_str(), wanted.path.as_ref(), was, &found["entity"])?;
        let id = text(&found["entity"]["id"]);
        let user = &self.after.users[&id];
        self.holds(&what, &user.own, &wanted.managed_policies, &wanted.inline_policies)?;
        self.tags(
            &what,
            &wanted.tags,
            was.map(|was| &was["tags"]),
            &found["tags"],
            fold_tag_key,
        )?;

        let before = self.before.users.get(&id);
        let boundary = match &wanted.permissions_boundary {
            BoundaryWish::Keep => before.and_then(|user| user.boundary.clone()),
            BoundaryWish::Absent => None,
            BoundaryWish::Present(reference) => Some(self.arn(reference)),
        };
        require(user.boundary == boundary, || {
            format!("the boundary of {what} is {:?}", user.boundary)
        })?;

        let groups: BTreeSet<GroupName> = user
            .groups
            .iter()
            .map(|group| GroupName::from_live(self.after.groups[group].name.as_str()))
            .collect();
        let ignored = before.iter().flat_map(|user| &user.groups).filter_map(|group| {
            let name = GroupName::from_live(self.before.groups[group].name.as_str());
            let is_declared = self.desired.groups.contains_key(&name);
            let ignored = !is_declared && self.desired.scope.ignores_group(name.as_str()).is_some();
            ignored.then_some(name)
        });
        let wanted_groups: BTreeSet<GroupName> = wanted.groups.iter().cloned().chain(ignored).collect();
        require(groups == wanted_groups, || {
            format!("{what} is in {groups:?}, not in {wanted_groups:?}")
        })?;

        let had_one = before.is_some_and(|user| user.password);
        let password = match wanted.login_profile {
            _ if expired => false,
            Some(LoginProfileWish::Present { .. }) => true,
            Some(LoginProfileWish::Absent) => false,
            None => had_one,
        };
        require(user.password == password, || {
            format!("{what} has a password: {}", user.password)
        })?;
        if let Some(was) = was.filter(|_| had_one && password) {
            require(was["login_profile"] == found["login_profile"], || {
                format!("the password of {what} was replaced")
            })?;
        }
        let had = before.map(|user| &user.keys);
        let working = user.keys.values().filter(|active| **active).count();
        match (was, &wanted.access_keys) {
            (_, Some(AccessKeysWish::Present(rules))) if !expired => {
                require(user.keys.len() <= 2, || format!("{what} has three keys"))?;
                let new = had.is_none_or(BTreeMap::is_empty);
                require(!new || working == rules.count as usize, || {
                    format!("{what} has {working} keys that work, not {}", rules.count)
                })?;
                // Nobody but trueup uses keys here, so that none is replaced as long as its replacement is new.
                let lost = had.is_some_and(|had| had.values().any(|active| *active)) && working == 0;
                require(!lost || rules.maximum_unused_days.is_some(), || {
                    format!("{what} has no key left that works")
                })
            }
            (Some(was), None) if !expired => require(was["access_keys"] == found["access_keys"], || {
                format!("the keys of {what} have changed")
            }),
            _ => require(working == 0, || format!("{what} has a key that works")),
        }
    }

    fn entity(&self, what: &str, name: &str, path: Option<&Path>, was: Option<&Value>, found: &Value) -> Verdict {
        require(found["name"] == name, || format!("{what} is spelt {}", found["name"]))?;
        let was = was.map(|was| &was["entity"]);
        let path = match (path, was) {
            (Some(path), _) => path.to_string(),
            (None, Some(was)) => text(&was["path"]),
            (None, None) => "/".to_owned(),
        };
        require(found["path"] == path.as_str(), || {
            format!("{what} is at {}, not at {path}", found["path"])
        })?;
        let same_one = was.is_none_or(|was| was["id"] == found["id"]);
        require(same_one, || format!("{what} was made anew"))
    }

    fn holds(
        &self,
        what: &str,
        found: &Holder,
        attached: &BTreeSet<PolicyRef>,
        inline: &BTreeMap<InlinePolicyName, PolicyDocument>,
    ) -> Verdict {
        let wanted: BTreeSet<String> = attached.iter().map(|reference| self.arn(reference)).collect();
        require(found.attached == wanted, || {
            format!("{what} has attached {:?}, not {wanted:?}", found.attached)
        })?;
        let found: BTreeMap<InlinePolicyName, PolicyDocument> = found
            .inline
            .iter()
            .map(|(name, document)| {
                (
                    InlinePolicyName::from_live(name.as_str()),
                    PolicyDocument::from_live(document.as_str()),
                )
            })
            .collect();
        require(found == *inline, || {
            format!("{what} has inline {found:?}, not {inline:?}")
        })
    }

    fn tags(&self, what: &str, wanted: &Tags, was: Option<&Value>, found: &Value, fold: fn(&str) -> String) -> Verdict {
        let pairs = |tags: &Value| -> BTreeMap<String, (String, String)> {
            let pairs = members(tags).map(|(_, tag)| (text(&tag["key"]), text(&tag["value"])));
            pairs.map(|(key, value)| (fold(&key), (key, value))).collect()
        };
        let kept = was.map(pairs).unwrap_or_default();
        let kept = kept
            .into_iter()
            .filter(|(_, (key, _))| self.desired.scope.ignores_tag(key));
        let declared = wanted
            .iter()
            .map(|(key, value)| (fold(key), (key.clone(), value.clone())));
        let wanted: BTreeMap<_, _> = declared.chain(kept).collect();
        // What trueup remembers of keys is its own, and what a key is for stands in a tag of its name.
        let of_keys = |key: &String| {
            key.starts_with("trueup:inactive:")
                || key == "trueup:new-access-key"
                || key.starts_with("akia") && key.len() == 20
        };
        let mut found = pairs(found);
        found.retain(|key, _| !of_keys(key));
        let mut wanted = wanted;
        wanted.retain(|key, _| !of_keys(key));
        require(found == wanted, || {
            format!("{what} has the tags {found:?}, not {wanted:?}")
        })
    }

    /// What becomes of something that is neither declared nor absent nor ignored by name.
    fn unowned(&self, kind: &trueup_model::KindScope, path: &Path, was: &Value, external: bool) -> Standing {
        if external || !kind.contains(path) {
            Standing::Left
        } else if is_of_a_stack(was) {
            Standing::Ignored
        } else if kind.unmanaged == Unmanaged::Delete {
            Standing::Deleted
        } else {
            Standing::Left
        }
    }

    fn leave(&self, kind: &str, key: &str, standing: Standing, was: &Value, is: &Value, but: &[&str]) -> Verdict {
        match standing {
            Standing::Declared => Ok(()),
            Standing::Deleted => {
                let same_one = !is.is_null() && (is["id"] == was["id"]) && (is["entity"]["id"] == was["entity"]["id"]);
                require(!same_one, || format!("{kind} {key} should be gone"))
            }
            Standing::Ignored => same(&format!("{kind} {key}"), was, is),
            Standing::Left => {
                let (mut was, mut is) = (was.clone(), is.clone());
                // What an apply that stopped left behind is trueup's own, and goes.
                if let Some(entity) = was.pointer_mut("/entity").and_then(Value::as_object_mut)
                    && let Some(Value::Object(inline)) = entity.get_mut("inline")
                    && inline.remove("trueup-transition").is_some()
                    && inline.is_empty()
                {
                    entity.remove("inline");
                }
                for field in but {
                    was[*field] = Value::Null;
                    is[*field] = Value::Null;
                }
                same(&format!("{kind} {key}"), &was, &is)
            }
        }
    }

    /// Roles, root, quotas, AWS's policies and devices that nobody deleted is as it was; nothing has come that nobody
    /// declared.
    fn nothing_else(&self) -> Verdict {
        let (before, after) = (&self.before.whole, &self.after.whole);
        for part in [
            "account_id",
            "partition",
            "created",
            "root",
            "quotas",
            "roles",
            "aws_policies",
        ] {
            same(part, &before[part], &after[part])?;
        }
        for (serial, owner) in &self.before.devices {
            let owner_lives = owner
                .as_ref()
                .is_none_or(|owner| self.after.users.contains_key(owner) || owner == ACCOUNT);
            let is = &after["mfa_devices"][serial];
            if owner_lives {
                same(&format!("device {serial}"), &before["mfa_devices"][serial], is)?;
            } else {
                require(is.is_null(), || {
                    format!("device {serial} of a deleted user is still there")
                })?;
            }
        }
        require(self.after.devices.len() <= self.before.devices.len(), || {
            "a device was made".to_owned()
        })?;
        let known = |kind: &str, name: &str| match kind {
            "users" => self.desired.users.contains_key(&UserName::from_live(name)),
            "groups" => self.desired.groups.contains_key(&GroupName::from_live(name)),
            _ => self.desired.policies.contains_key(&PolicyName::from_live(name)),
        };
        for kind in ["users", "groups", "policies"] {
            for (key, _) in members(&after[kind]) {
                let was_there = !before[kind][key].is_null();
                require(was_there || known(kind, key), || {
                    format!("{key} of {kind} has come from nowhere")
                })?;
            }
        }
        Ok(())
    }
}

fn is_of_a_stack(entity: &Value) -> bool {
    members(&entity["tags"]).any(|(_, tag)| text(&tag["key"]).to_lowercase().starts_with("aws:cloudformation:"))
}

fn tags_of(entity: &Value) -> Tags {
    members(&entity["tags"])
        .map(|(_, tag)| (text(&tag["key"]), text(&tag["value"])))
        .collect()
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    value.get(name.to_ascii_lowercase())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
