//! What a step gives and takes, from the text of statements alone.

use crate::world::{Effect, World};

/// What a step does to whoever holds what it changes, whether or not anybody does at that moment.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Delta {
    pub(super) grows: bool,
    pub(super) shrinks: bool,
}

/// What a step does to whoever holds what it changes, whenever it happens.
///
/// An attachment or a membership brings or takes what the policy or the group says at that moment, so what they say
/// before, now and after counts. A document or a boundary is changed from what it is now.
pub(super) fn delta_ever(effect: &Effect, before: &World, now: &mut World, after: &World) -> Delta {
    let (allows, denies) = World::ever_brought(&[before, now, after], effect);
    match effect {
        Effect::UserAttachment(_, _, present)
        | Effect::GroupAttachment(_, _, present)
        | Effect::Membership(_, _, present) => {
            if *present {
                Delta {
                    grows: allows,
                    shrinks: denies,
                }
            } else {
                Delta {
                    grows: denies,
                    shrinks: allows,
                }
            }
        }
        // What a boundary lets through depends on its document's moment too, so one for another is both.
        Effect::Boundary(user, boundary) => match (now.is_bounded(user), boundary) {
            (false, Some(_)) => Delta {
                grows: false,
                shrinks: true,
            },
            (true, None) => Delta {
                grows: true,
                shrinks: false,
            },
            (true, Some(_)) => Delta {
                grows: true,
                shrinks: true,
            },
            (false, None) => Delta::default(),
        },
        // What it means to its statements depends on which of them the user holds at that moment.
        Effect::Identity(user, facet) => {
            let counts = [before, &*now, after].iter().any(|world| world.depends_on(user, facet));
            Delta {
                grows: counts,
                shrinks: counts,
            }
        }
        Effect::UserInline(..) | Effect::GroupInline(..) | Effect::PolicyDefault(..) => delta(now, effect),
    }
}

/// What a step does to whoever holds what it changes, as things stand.
fn delta(world: &mut World, effect: &Effect) -> Delta {
    let now = world.slot_access(effect);
    let undo = world.apply(effect);
    let then = world.slot_access(effect);
    world.revert(undo);
    Delta {
        grows: !now.only_shrinks_to(&then),
        shrinks: !then.only_shrinks_to(&now),
    }
}
