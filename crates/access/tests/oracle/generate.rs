//! Random policies over a small universe, in which statements meet often, and requests of that universe.

use serde_json::{Map, Value, json};

use crate::evaluator::{Asked, Context, Held};

/// A small generator of random numbers (splitmix64): the same seed gives the same cases.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    fn some(&mut self, from: &[&str], most: usize) -> Value {
        let count = 1 + self.below(most);
        let list: Vec<&str> = (0..count).map(|_| self.pick(from)).collect();
        if list.len() == 1 && self.chance(50) {
            json!(list[0])
        } else {
            json!(list)
        }
    }
}

const ACTIONS: &[&str] = &[
    "*",
    "*:*",
    "s3:*",
    "s3:Get*",
    "S3:getobject",
    "s3:GetObject",
    "s3:GetObjectAcl",
    "s3:*Object",
    "s3:*Acl*",
    "s3:?etObject",
    "s3:PutObject",
    "s3:P*",
    "iam:*",
    "iam:PassRole",
    "iam:Pass*",
    "zz:New",
    "zz:*",
    "zz:N*",
    "s3:Get*Acl",
    "s3:NewThing",
];

const RESOURCES: &[&str] = &[
    "*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::a",
    "arn:aws:s3:::a*",
    "arn:aws:s3:::*b",
    "arn:aws:s3:::a*b",
    "arn:aws:s3:::a?",
    "arn:aws:s3:::?",
    "arn:aws:s3:::a/*",
    "arn:aws:s3:::${aws:username}*",
    "arn:aws:s3:::${aws:username}",
    "arn:aws:s3:*:*:a",
    "arn:aws:s3:*:*:*",
    "arn:aws:*:::a*",
    "arn:aws:s3:::*a*",
    "arn:aws:s3:::${aws:PrincipalTag/t}*",
    "arn:aws:s3:::${aws:PrincipalTag/t}",
    "arn:*:*:*:*:b*",
    "arn:aws:s3:::ab",
    "arn:aws:s3:::${*}*",
];

const REQUESTED_ACTIONS: &[&str] = &[
    "s3:GetObject",
    "s3:GetObjectAcl",
    "s3:PutObject",
    "s3:PutObjectAcl",
    "iam:PassRole",
    "iam:GetUser",
    "zz:New",
    "zz:Old",
    "s3:NewThing",
    "s3:NewAcl",
    "s3:GetNewAcl",
    "s3:SetObject",
    "ec2:RunInstances",
    "qq:Anything",
    "s3:ListBucket",
];

const REQUESTED_RESOURCES: &[&str] = &[
    "*",
    "arn:aws:s3:::a",
    "arn:aws:s3:::b",
    "arn:aws:s3:::ab",
    "arn:aws:s3:::ba",
    "arn:aws:s3:::aab",
    "arn:aws:s3:::a/b",
    "arn:aws:s3:::c",
    "arn:aws:s3:::a:b",
    "arn:aws:s3:r:1:a",
    "arn:aws:s3:r:1:b",
    "arn:aws:iam:::a",
    "arn:aws:s3:::*",
    "arn:aws:s3:::abc",
    "arn:aws:ec2:r:1:b",
    "arn:aws:s3:::${aws:username}",
    "arn:aws:s3:::ac",
    "arn:aws:s3:::*a",
];

/// Operators with values, by the key that they are used with.
const TESTS: &[(&str, &[&str], &[&str])] = &[
    (
        "app:name",
        &[
            "StringEquals",
            "StringNotEquals",
            "StringLike",
            "StringNotLike",
            "StringEqualsIgnoreCase",
            "StringEqualsIfExists",
            "StringNotEqualsIfExists",
            "StringLikeIfExists",
            "StringNotLikeIfExists",
            "StringNotEqualsIgnoreCase",
        ],
        &["x", "y", "X", "x*", "*y", "?", "*", "xy", "${aws:username}", "${*}"],
    ),
    (
        "app:tags",
        &[
            "ForAnyValue:StringEquals",
            "ForAllValues:StringEquals",
            "ForAnyValue:StringLike",
            "ForAllValues:StringLike",
            "ForAllValues:StringNotEquals",
            "ForAnyValue:StringNotEquals",
            "ForAnyValue:StringNotLike",
            "ForAllValues:StringEqualsIfExists",
            "ForAnyValue:StringEqualsIfExists",
            "ForAnyValue:StringNotEqualsIfExists",
        ],
        &["x", "y", "x*", "*", "?"],
    ),
    (
        "app:arn",
        &[
            "ArnLike",
            "ArnEquals",
            "ArnNotLike",
            "ArnNotEquals",
            "ArnLikeIfExists",
            "StringLike",
        ],
        &["arn:aws:s3:::*", "arn:aws:s3:*:*:a", "arn:aws:*:::a*", "arn:aws:s3:::a"],
    ),
    ("app:mfa", &["Bool", "BoolIfExists"], &["true", "false", "True"]),
    (
        "app:size",
        &[
            "NumericEquals",
            "NumericNotEquals",
            "NumericLessThan",
            "NumericLessThanEquals",
            "NumericGreaterThan",
            "NumericGreaterThanEquals",
            "NumericLessThanIfExists",
        ],
        &["1", "2", "2.5", "10"],
    ),
    (
        "app:when",
        &[
            "DateLessThan",
            "DateGreaterThan",
            "DateEquals",
            "DateNotEquals",
            "DateGreaterThanIfExists",
        ],
        &["2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z", "2020-06-01"],
    ),
    (
        "app:ip",
        &["IpAddress", "NotIpAddress", "IpAddressIfExists", "NotIpAddressIfExists"],
        &["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "0.0.0.0/1", "128.0.0.0/1"],
    ),
    (
        "aws:username",
        &[
            "StringEquals",
            "StringNotEquals",
            "StringLike",
            "Null",
            "StringEqualsIfExists",
        ],
        &["a", "b*", "true", "false"],
    ),
    (
        "aws:PrincipalTag/t",
        &["StringEquals", "StringNotLike", "Null"],
        &["a", "b*", "true", "false"],
    ),
];

const FOUND: &[(&str, &[&str])] = &[
    ("app:name", &["x", "y", "X", "xy", "z", "a", "*", "XY"]),
    (
        "app:arn",
        &[
            "arn:aws:s3:::a",
            "arn:aws:s3:r:1:a",
            "arn:aws:iam:::ab",
            "no arn",
            "arn:aws:s3:::a:b",
        ],
    ),
    ("app:mfa", &["true", "false"]),
    ("app:size", &["0", "1", "1.5", "2", "2.2", "2.5", "3", "10", "11"]),
    (
        "app:when",
        &[
            "2019-01-01T00:00:00Z",
            "2020-01-01T00:00:00Z",
            "2020-02-01T00:00:00Z",
            "2020-06-01T00:00:00Z",
            "2022-01-01T00:00:00Z",
        ],
    ),
    ("app:ip", &["10.1.2.3", "10.1.9.9", "10.9.9.9", "1.2.3.4", "200.1.1.1"]),
];

fn condition(random: &mut Random) -> Value {
    let mut operators: Map<String, Value> = Map::new();
    for _ in 0..1 + random.below(2) {
        let (key, names, values) = random.pick(TESTS);
        let (operator, values) = if random.chance(12) {
            ("Null", random.some(&["true", "false"], 1))
        } else {
            let operator = random.pick(names);
            let fitting: Vec<&str> = match operator {
                "Null" => vec!["true", "false"],
                _ => values.to_vec(),
            };
            (operator, random.some(&fitting, 2))
        };
        let block = operators.entry(operator).or_insert_with(|| json!({}));
        let key = if random.chance(30) {
            key.to_uppercase()
        } else {
            key.to_owned()
        };
        let block = block.as_object_mut().unwrap();
        // Two keys that differ in case alone have no defined meaning.
        if !block.keys().any(|known| known.eq_ignore_ascii_case(&key)) {
            block.insert(key, values);
        }
    }
    Value::Object(operators)
}

fn statement(random: &mut Random, allow_percent: usize) -> Value {
    let mut members = Map::new();
    let effect = if random.chance(allow_percent) { "Allow" } else { "Deny" };
    members.insert("Effect".to_owned(), json!(effect));
    let action = if random.chance(15) { "NotAction" } else { "Action" };
    members.insert(action.to_owned(), random.some(ACTIONS, 3));
    let resource = if random.chance(15) { "NotResource" } else { "Resource" };
    members.insert(resource.to_owned(), random.some(RESOURCES, 3));
    if random.chance(40) {
        members.insert("Condition".to_owned(), condition(random));
    }
    Value::Object(members)
}

fn policy(random: &mut Random, allow_percent: usize) -> Value {
    let count = 1 + random.below(3);
    let statements: Vec<Value> = (0..count).map(|_| statement(random, allow_percent)).collect();
    let mut policy = json!({ "Statement": statements });
    if !random.chance(10) {
        policy["Version"] = json!("2012-10-17");
    } else if random.chance(50) {
        policy["Version"] = json!("2008-10-17");
    }
    policy
}

/// Policies of a user.
pub(crate) fn held(random: &mut Random) -> Held {
    let count = 1 + random.below(3);
    let boundary = random.chance(20).then(|| policy(random, 85));
    Held {
        policies: (0..count).map(|_| policy(random, 75)).collect(),
        boundary,
        own: Context::new(),
    }
}

/// The same user after a change.
pub(crate) fn changed(random: &mut Random, before: &Held) -> Held {
    let mut after = before.clone();
    for _ in 0..1 + random.below(2) {
        let at = random.below(after.policies.len());
        match random.below(8) {
            0 => after.policies.push(policy(random, 75)),
            1 if after.policies.len() > 1 => drop(after.policies.remove(at)),
            2 => after.boundary = random.chance(60).then(|| policy(random, 85)),
            3 => after.policies[at] = policy(random, 75),
            4 | 5 => {
                let new = statement(random, 70);
                after.policies[at]["Statement"].as_array_mut().unwrap().push(new);
            }
            _ => {
                let list = after.policies[at]["Statement"].as_array_mut().unwrap();
                let which = random.below(list.len());
                let new = statement(random, 75);
                for part in ["Action", "Resource", "Condition"] {
                    if random.chance(50) && new.get(part).is_some() && list[which].get(part).is_some() {
                        list[which][part] = new[part].clone();
                    }
                }
            }
        }
    }
    after
}

/// What a user is: its keys.
pub(crate) fn own(random: &mut Random) -> Context {
    let mut own = Context::new();
    own.insert(
        "aws:username".to_owned(),
        vec![random.pick(&["a", "ab", "c"]).to_owned()],
    );
    own.insert(
        "aws:principaltag/t".to_owned(),
        vec![random.pick(&["a", "b", "x"]).to_owned()],
    );
    own
}

/// A request of the universe.
pub(crate) fn asked(random: &mut Random) -> Asked {
    let mut context = Context::new();
    for (key, values) in FOUND {
        if random.chance(60) {
            context.insert((*key).to_owned(), vec![random.pick(values).to_owned()]);
        }
    }
    if random.chance(60) {
        let count = 1 + random.below(2);
        let values = (0..count)
            .map(|_| random.pick(&["x", "y", "xy", "z"]).to_owned())
            .collect();
        context.insert("app:tags".to_owned(), values);
    }
    // Without knowledge of the user these may be anything, but every request of a user has them.
    context.extend(own(random));
    Asked {
        action: random.pick(REQUESTED_ACTIONS).to_owned(),
        resource: random.pick(REQUESTED_RESOURCES).to_owned(),
        context,
    }
}
