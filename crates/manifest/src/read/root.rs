//! The sections of the root file: account, scope, external, guardrails, files and user types.

use trueup_model::{
    AccountId, Alias, IgnoreTarget, PasswordPolicy, Path, PolicyArn, Unmanaged, UserName, check_tag_key,
    desired::{AliasWish, Allowance, DeletionLimit, Hold, PasswordPolicyWish, RootRequirements},
    guardrail::GuardrailCode,
};

use super::{
    keys,
    raw::{FileLimits, Raw, RawAccount, RawIgnore, RawKindScope, RawUserType},
    walk::{Fields, is_null},
};
use crate::{
    context::{At, Context, Span},
    diagnostic::quoted,
    yaml::{Kind, Node},
};

impl Context<'_> {
    pub(super) fn read_root(&mut self, fields: &Fields<'_>, raw: &mut Raw) {
        if let Some(node) = fields.get("version") {
            self.read_version(node);
        }
        if let Some(node) = fields.require(self, "account", "the manifest", "account: {id: \"123456789012\"}") {
            let span = fields.key_span("account").unwrap_or(node.span);
            raw.account = self.read_account(node, span, &mut raw.keys);
        }
        if let (Some(node), Some(span)) = (fields.get("scope"), fields.key_span("scope")) {
            self.read_scope(node, span, raw);
        }
        if let (Some(node), Some(span)) = (fields.get("external"), fields.key_span("external")) {
            self.read_external(node, span, raw);
        }
        if let (Some(node), Some(span)) = (fields.get("guardrails"), fields.key_span("guardrails")) {
            self.read_guardrails(node, span, raw);
        }
        if let Some(node) = fields.get("hold") {
            for item in self.list(node, "`hold`").unwrap_or_default() {
                let Some(hold) = self.read_hold(item) else { continue };
                raw.keys.push((format!("hold[{}]", raw.hold.len()), item.span));
                raw.hold.push(hold);
            }
        }
        if let Some(node) = fields.get("files") {
            self.read_file_limits(node, raw);
        }
        if let (Some(node), Some(span)) = (fields.get("lints"), fields.key_span("lints")) {
            self.read_lints(node, span, raw);
        }
        if let Some(node) = fields.get("user_types") {
            self.read_user_types(node, raw);
        }
    }

    fn read_version(&mut self, node: &Node) {
        if let Some(version) = self.integer(node, "`version`", 0..=u32::MAX)
            && version != 1
        {
            self.error(
                "version",
                node.span,
                format!("this is version {version} of the manifest, and only 1 is known"),
            )
            .hint("write `version: 1`, or use a newer trueup");
        }
    }

    fn read_account(&mut self, node: &Node, owner: Span, places: &mut Vec<(String, Span)>) -> Option<RawAccount> {
        let fields = self.fields(node, "`account`", keys::ACCOUNT, owner)?;
        places.extend(fields.keys().map(|(key, span)| (format!("account.{key}"), span)));
        let mut account = RawAccount {
            id: None,
            alias: None,
            password_policy: None,
            root: RootRequirements::default(),
            declares_anything: fields.keys().any(|(key, _)| key != "id"),
        };
        if let Some(node) = fields.require(self, "id", "`account`", "id: \"123456789012\"")
            && let Some(id) = self.text_value(node, "`id`")
        {
            match AccountId::new(id.value.as_str()) {
                Ok(valid) => account.id = Some(At::new(valid, id.span)),
                Err(error) => {
                    self.error(
                        "bad-account-id",
                        id.span,
                        format!("{error}, and {} is not", quoted(&id.value)),
                    );
                }
            }
        }
        if let Some(node) = fields.get("alias") {
            account.alias = self.read_alias(node);
        }
        if let (Some(node), Some(span)) = (fields.get("password_policy"), fields.key_span("password_policy")) {
            account.password_policy = self.read_password_policy(node, span);
        }
        if let (Some(node), Some(span)) = (fields.get("root"), fields.key_span("root"))
            && let Some(fields) = self.fields(node, "`root`", keys::ROOT_USER, span)
        {
            account.root.mfa_required = fields
                .get("mfa")
                .and_then(|node| self.word(node, "`mfa` of root", &[("required", true)]))
                .is_some_and(|word| word.value);
            account.root.access_keys_forbidden = fields
                .get("access_keys")
                .and_then(|node| self.word(node, "`access_keys` of root", &[("forbidden", true)]))
                .is_some_and(|word| word.value);
            account.root.signing_certificates_forbidden = fields
                .get("signing_certificates")
                .and_then(|node| self.word(node, "`signing_certificates` of root", &[("forbidden", true)]))
                .is_some_and(|word| word.value);
        }
        Some(account)
    }

    fn read_alias(&mut self, node: &Node) -> Option<AliasWish> {
        let text = self.text_value(node, "`alias`")?;
        if text.value.is_empty() {
            return Some(AliasWish::Absent);
        }
        match Alias::new(text.value) {
            Ok(alias) => Some(AliasWish::Present(alias)),
            Err(error) => {
                self.error("bad-alias", text.span, error.to_string());
                None
            }
        }
    }

    fn read_password_policy(&mut self, node: &Node, owner: Span) -> Option<PasswordPolicyWish> {
        if let Kind::Scalar(scalar) = &node.kind
            && !is_null(scalar)
        {
            if scalar.text == "aws-default" {
                return Some(PasswordPolicyWish::AwsDefault);
            }
            let shown = quoted(&scalar.text);
            self.error(
                "bad-value",
                node.span,
                format!("`password_policy` is `aws-default` or the fields of a policy, not {shown}"),
            )
            .hint("`aws-default` deletes the custom policy; leave the key out to leave the policy alone");
            return None;
        }
        let fields = self.fields(node, "`password_policy`", keys::PASSWORD_POLICY, owner)?;
        if fields.is_empty() {
            if matches!(&node.kind, Kind::Mapping(entries) if entries.is_empty()) {
                self.error(
                    "empty-password-policy",
                    node.span,
                    "an empty password policy is weaker than none: 6 characters of any kind",
                )
                .hint("name its fields, write `aws-default` to delete the custom policy, or leave the key out");
            }
            return None;
        }
        let default = PasswordPolicy::default();
        let mut flag = |key: &str, default: bool| match fields.get(key) {
            Some(node) => self.boolean(node, &format!("`{key}`")).unwrap_or(default),
            None => default,
        };
        let mut policy = PasswordPolicy {
            require_symbols: flag("require_symbols", default.require_symbols),
            require_numbers: flag("require_numbers", default.require_numbers),
            require_uppercase_characters: flag("require_uppercase_characters", default.require_uppercase_characters),
            require_lowercase_characters: flag("require_lowercase_characters", default.require_lowercase_characters),
            allow_users_to_change_password: flag(
                "allow_users_to_change_password",
                default.allow_users_to_change_password,
            ),
            hard_expiry: flag("hard_expiry", default.hard_expiry),
            ..default
        };
        if let Some(length) = self.number_field(&fields, "minimum_password_length", 6..=128) {
            policy.minimum_password_length = length;
        }
        policy.max_password_age = self.number_field(&fields, "max_password_age", 1..=1095);
        policy.password_reuse_prevention = self.number_field(&fields, "password_reuse_prevention", 1..=24);
        Some(PasswordPolicyWish::Custom(policy))
    }

    fn number_field(&mut self, fields: &Fields<'_>, key: &str, range: std::ops::RangeInclusive<u32>) -> Option<u32> {
        self.integer(fields.get(key)?, &format!("`{key}`"), range)
    }

    fn read_scope(&mut self, node: &Node, owner: Span, raw: &mut Raw) {
        let Some(fields) = self.fields(node, "`scope`", keys::SCOPE, owner) else {
            return;
        };
        raw.keys
            .extend(fields.keys().map(|(key, span)| (format!("scope.{key}"), span)));
        raw.scope.users = self.read_kind_scope(&fields, "users");
        raw.scope.groups = self.read_kind_scope(&fields, "groups");
        raw.scope.policies = self.read_kind_scope(&fields, "policies");
        if let Some(span) = fields.key_span("roles") {
            self.unsupported(span, "roles");
        }
        if let Some(node) = fields.get("ignore_tags") {
            for item in self.list(node, "`ignore_tags`").unwrap_or_default() {
                raw.scope
                    .ignore_tags
                    .extend(self.filled_text(item, "an item of `ignore_tags`"));
            }
        }
        if let Some(node) = fields.get("ignore") {
            for item in self.list(node, "`ignore`").unwrap_or_default() {
                let Some(rule) = self.read_ignore(item) else { continue };
                let path = format!("scope.ignore[{}]", raw.scope.ignore.len());
                raw.keys.push((path, item.span));
                raw.scope.ignore.push(rule);
            }
        }
    }

    fn read_kind_scope(&mut self, fields: &Fields<'_>, kind: &str) -> Option<RawKindScope> {
        let (node, span) = (fields.get(kind)?, fields.key_span(kind)?);
        let mut scope = RawKindScope::default();
        if let Some(fields) = self.fields(node, &format!("the scope of {kind}"), keys::KIND_SCOPE, span) {
            if let Some(node) = fields.get("paths") {
                scope.paths = Some(self.read_paths(node));
            }
            if let Some(node) = fields.get("unmanaged") {
                let words = [("report", Unmanaged::Report), ("delete", Unmanaged::Delete)];
                scope.unmanaged = self
                    .word(node, "`unmanaged`", &words)
                    .map_or(Unmanaged::Report, |word| word.value);
            }
        }
        Some(scope)
    }

    /// A list of paths below which entities lie.
    fn read_paths(&mut self, node: &Node) -> Vec<Path> {
        let mut paths = Vec::new();
        for item in self.list(node, "`paths`").unwrap_or_default() {
            let Some(text) = self.text_value(item, "an item of `paths`") else {
                continue;
            };
            match self.checked_path(&text, Path::new(text.value.as_str())) {
                Some(path) if path.value.is_reserved() => {
                    self.error(
                        "bad-path",
                        text.span,
                        format!("{} belongs to AWS and is never in scope", quoted(&text.value)),
                    );
                }
                Some(path) => paths.push(path.value),
                None => {}
            }
        }
        paths
    }

    fn read_ignore(&mut self, node: &Node) -> Option<RawIgnore> {
        let fields = self.fields(node, "a rule of `ignore`", keys::IGNORE, node.span)?;
        let reason = fields
            .require(self, "reason", "this rule", "reason: …")
            .and_then(|node| self.filled_text(node, "`reason`"));
        let until = fields.get("until").and_then(|node| self.date(node, "`until`"));
        let targets: Vec<_> = fields
            .keys()
            .filter(|(key, _)| matches!(*key, "user" | "group" | "policy" | "role" | "tag"))
            .collect();
        let (kind, span) = match targets.as_slice() {
            [target] => *target,
            [] => {
                self.error("missing-key", node.span, "this rule does not say what it ignores")
                    .hint("add one of `user`, `group`, `policy` and `tag`");
                return None;
            }
            [first, second, ..] => {
                self.error(
                    "ignore",
                    second.1,
                    format!("a rule ignores one thing, and `{}` stands here too", first.0),
                )
                .hint("write a rule for each");
                return None;
            }
        };
        let value = fields.get(kind)?;
        let target = match kind {
            "tag" => self.read_ignored_tag(value)?,
            "role" => {
                self.unsupported(span, "role");
                return None;
            }
            _ => {
                let glob = self.filled_text(value, &format!("`{kind}`"))?;
                let target = match kind {
                    "user" => IgnoreTarget::User(glob.value),
                    "group" => IgnoreTarget::Group(glob.value),
                    _ => IgnoreTarget::Policy(glob.value),
                };
                At::new(target, glob.span)
            }
        };
        Some(RawIgnore {
            target,
            reason: reason?.value,
            until,
        })
    }

    fn read_ignored_tag(&mut self, node: &Node) -> Option<At<IgnoreTarget>> {
        let entries = self.entries(node, "`tag`", "tag: {managed-by: terraform}");
        match entries.as_slice() {
            [(key, value)] => {
                let value = self.text_value(value, &format!("the tag {}", quoted(key.value)))?;
                let target = IgnoreTarget::Tag {
                    key: key.value.to_owned(),
                    value: value.value,
                };
                Some(At::new(target, node.span))
            }
            [] => {
                if matches!(&node.kind, Kind::Mapping(entries) if entries.is_empty()) {
                    self.error("bad-value", node.span, "`tag` names no tag")
                        .hint("for example `tag: {managed-by: terraform}`");
                }
                None
            }
            [_, (second, _), ..] => {
                self.error("ignore", second.span, "a rule ignores one tag")
                    .hint("write a rule for each");
                None
            }
        }
    }

    fn read_external(&mut self, node: &Node, owner: Span, raw: &mut Raw) {
        let Some(fields) = self.fields(node, "`external`", keys::EXTERNAL, owner) else {
            return;
        };
        if let Some(node) = fields.get("groups") {
            raw.external_groups = self.names(node, "`groups`");
        }
        let Some(node) = fields.get("policies") else { return };
        let mut first: std::collections::BTreeMap<PolicyArn, Span> = std::collections::BTreeMap::new();
        for item in self.list(node, "`policies`").unwrap_or_default() {
            let Some(text) = self.text_value(item, "an item of `policies`") else {
                continue;
            };
            match PolicyArn::new(text.value.as_str()) {
                Ok(arn) => {
                    if let Some(first) = first.get(&arn) {
                        let first = *first;
                        self.error(
                            "listed-twice",
                            text.span,
                            format!("{} is listed twice", quoted(&text.value)),
                        )
                        .related("it is listed here already", first);
                    } else {
                        first.insert(arn.clone(), text.span);
                        raw.external_policies.push(At::new(arn, text.span));
                    }
                }
                Err(error) => {
                    let hint = (!text.value.starts_with("arn:"))
                        .then(|| "external policies are named by their ARN, since their path is not known".to_owned());
                    self.error("bad-arn", text.span, error.to_string()).maybe_hint(hint);
                }
            }
        }
    }

    fn read_guardrails(&mut self, node: &Node, owner: Span, raw: &mut Raw) {
        let Some(fields) = self.fields(node, "`guardrails`", keys::GUARDRAILS, owner) else {
            return;
        };
        let places = fields.keys().map(|(key, span)| (format!("guardrails.{key}"), span));
        raw.keys.extend(places);
        if let Some(limit) = fields
            .get("max_deletions")
            .and_then(|node| self.read_deletion_limit(node))
        {
            raw.guardrails.max_deletions = limit;
        }
        if let Some(minimum) = self.number_field(&fields, "minimum_administrators", 0..=5000) {
            raw.guardrails.minimum_administrators = minimum;
        }
        if let Some(node) = fields.get("break_glass") {
            let names = self.names::<UserName>(node, "`break_glass`");
            let place = |name: &At<UserName>| (format!("guardrails.break_glass.{}", name.value), name.span);
            raw.keys.extend(names.iter().map(place));
            raw.guardrails.break_glass = names.into_iter().map(|name| name.value).collect();
        }
        if let Some(node) = fields.get("allow") {
            for item in self.list(node, "`allow`").unwrap_or_default() {
                let Some(allowance) = self.read_allowance(item) else {
                    continue;
                };
                let path = format!("guardrails.allow[{}]", raw.guardrails.allow.len());
                raw.keys.push((path, item.span));
                raw.guardrails.allow.push(allowance);
            }
        }
    }

    fn read_hold(&mut self, node: &Node) -> Option<Hold> {
        let fields = self.fields(node, "an item of `hold`", keys::HOLD, node.span)?;
        let reason = fields
            .require(self, "reason", "this item", "reason: …")
            .and_then(|node| self.filled_text(node, "`reason`"));
        let until = fields
            .require(self, "until", "this item", "until: 2027-01-31")
            .and_then(|node| self.date(node, "`until`"));
        let targets: Vec<_> = fields
            .keys()
            .filter(|(key, _)| matches!(*key, "user" | "group" | "policy"))
            .collect();
        let [(kind, _)] = targets.as_slice() else {
            self.error(
                "hold",
                node.span,
                "an item of `hold` holds one of `user`, `group` and `policy`",
            )
            .hint("write an item for each");
            return None;
        };
        let glob = self.filled_text(fields.get(kind)?, &format!("`{kind}`"))?.value;
        Some(Hold {
            target: match *kind {
                "user" => IgnoreTarget::User(glob),
                "group" => IgnoreTarget::Group(glob),
                _ => IgnoreTarget::Policy(glob),
            },
            reason: reason?.value,
            until: until?,
        })
    }

    /// An exception has to say why, and when it ends.
    fn read_allowance(&mut self, node: &Node) -> Option<Allowance> {
        let fields = self.fields(node, "an item of `allow`", keys::ALLOWANCE, node.span)?;
        let codes = GuardrailCode::ALL.map(|code| (code.as_str(), code));
        let code = fields
            .require(self, "code", "this item", "code: deletions")
            .and_then(|node| self.word(node, "`code`", &codes));
        let reason = fields
            .require(self, "reason", "this item", "reason: …")
            .and_then(|node| self.filled_text(node, "`reason`"));
        let until = fields
            .require(self, "until", "this item", "until: 2027-01-31")
            .and_then(|node| self.date(node, "`until`"));
        Some(Allowance {
            code: code?.value,
            reason: reason?.value,
            until: until?,
        })
    }

    /// `25%` or a number.
    fn read_deletion_limit(&mut self, node: &Node) -> Option<DeletionLimit> {
        if let Kind::Scalar(scalar) = &node.kind
            && let Some(number) = scalar.text.strip_suffix('%')
        {
            let percent = number.trim_end().parse::<u32>().ok().filter(|percent| *percent <= 100);
            if percent.is_none() {
                self.error(
                    "out-of-range",
                    node.span,
                    "`max_deletions` is a share from 0% to 100%, or a number",
                );
            }
            return percent.map(DeletionLimit::Percent);
        }
        if let Kind::Mapping(_) | Kind::Sequence(_) = &node.kind {
            self.error(
                "wrong-type",
                node.span,
                "`max_deletions` is a share such as `25%`, or a number such as `10`",
            );
            return None;
        }
        self.integer(node, "`max_deletions`", 0..=100_000)
            .map(DeletionLimit::Count)
    }

    fn read_file_limits(&mut self, node: &Node, raw: &mut Raw) {
        let example = "people/payments.yaml: {paths: [/payments/], groups: [payments-*], types: [person]}";
        for (file, value) in self.entries(node, "`files`", example) {
            let what = format!("the entry {}", quoted(file.value));
            let Some(fields) = self.fields(value, &what, keys::FILE_LIMITS, file.span) else {
                continue;
            };
            let paths = fields
                .require(self, "paths", &what, "paths: [/payments/]")
                .map(|node| self.read_paths(node))
                .unwrap_or_default();
            let mut limits = FileLimits {
                file: At::new(file.value.to_owned(), file.span),
                paths,
                groups: Vec::new(),
                types: Vec::new(),
            };
            if let Some(node) = fields.get("groups") {
                for item in self.list(node, "`groups`").unwrap_or_default() {
                    limits
                        .groups
                        .extend(self.filled_text(item, "an item of `groups`").map(|glob| glob.value));
                }
            }
            if let Some(node) = fields.get("types") {
                for item in self.list(node, "`types`").unwrap_or_default() {
                    limits.types.extend(self.filled_text(item, "an item of `types`"));
                }
            }
            raw.file_limits.push(limits);
        }
    }

    fn read_user_types(&mut self, node: &Node, raw: &mut Raw) {
        for (name, value) in self.entries(node, "`user_types`", "person: {login_profile: {}}") {
            let what = format!("type {}", quoted(name.value));
            let fields = self.fields(value, &what, keys::USER_TYPE, name.span);
            let mut user_type = RawUserType {
                name: At::new(name.value.to_owned(), name.span),
                settings: Default::default(),
                require: Vec::new(),
            };
            if let Some(fields) = fields {
                user_type.settings = self.read_settings(&fields, &what);
                if let Some(node) = fields.get("require") {
                    user_type.require = self.read_required_keys(node);
                }
            }
            raw.user_types.push(user_type);
        }
    }

    fn read_required_keys(&mut self, node: &Node) -> Vec<At<&'static str>> {
        let words: Vec<_> = keys::USER
            .iter()
            .filter(|key| **key != "type")
            .map(|key| (*key, *key))
            .collect();
        self.list(node, "`require`")
            .unwrap_or_default()
            .iter()
            .filter_map(|item| self.word(item, "an item of `require`", &words))
            .collect()
    }

    /// Complains about a tag key that IAM, AWS or trueup would not have there.
    pub(super) fn check_tag(&mut self, key: &At<&str>) -> bool {
        if let Err(error) = check_tag_key(key.value) {
            self.error("bad-tag", key.span, error.to_string());
            return false;
        }
        if trueup_model::is_reserved_tag_key(key.value) {
            self.error(
                "bad-tag",
                key.span,
                "the console keeps tags that are named after an access key",
            );
            return false;
        }
        true
    }
}
