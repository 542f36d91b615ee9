//! What the text of statements does not prove, the access engine may.

use trueup_access::{Engine, Holdings, IamData, PrincipalFacts, Verdict};

use crate::{
    access::sides::Side,
    world::{Principal, World},
};

/// Asks the access engine. It is made when it is asked first, which most plans never do.
#[derive(Default)]
pub(super) struct Prover {
    engine: Option<Engine<'static>>,
}

impl Prover {
    /// Whether everything that a principal can do now can be done on one of the sides.
    ///
    /// Statements that mean another thing for another name or other tags are not asked about: who the principal is may
    /// change on the way.
    pub(super) fn is_within(&mut self, principal: &Principal, now: &World, sides: [&World; 2]) -> bool {
        let [before, after] = sides;
        if [now, before, after]
            .iter()
            .any(|world| world.is_personal(&world.access(principal)))
        {
            return false;
        }
        let engine = self.engine.get_or_insert_with(|| Engine::new(IamData::embedded()));
        let then = holdings(now, principal);
        [after, before].iter().any(|side| {
            let verdict = engine.compare(&holdings(side, principal), &then).verdict;
            matches!(verdict, Verdict::Same | Verdict::Less)
        })
    }
}

fn holdings(world: &World, principal: &Principal) -> Holdings {
    Side::of(world, principal, PrincipalFacts::nobody()).holdings
}
