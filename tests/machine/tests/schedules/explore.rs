//! The search: breadth first, so that the first failure is the shortest

use std::collections::HashMap;
use std::fmt::Debug;

/// Something that starts in a known way, and to which events happen
pub trait Machine: Sized {
    /// How it starts
    type Start: Copy + Debug;
    /// What can happen to it
    type Event: Copy + Debug;

    /// It, at its start
    fn start(start: Self::Start) -> Self;

    /// Everything that can happen
    fn alphabet() -> Vec<Self::Event>;

    /// Has an event happen, and checks what is promised of it; false if it makes no sense in this state
    fn apply(&mut self, event: Self::Event) -> bool;

    /// What there is to see in this state, and what becomes of it if nothing helps
    fn key(self) -> u64;

    /// The number of experiments to make in this state
    fn experiments(&self) -> usize;

    /// Makes an experiment, which uses the machine up
    fn experiment(self, number: usize);

    /// Whether sequences that lead here are continued; if not, another start leads on from here
    fn goes_on(&self) -> bool {
        true
    }
}

/// After more events than this only so many experiments are made
const DEAR: usize = 4;
const CHEAP: usize = 3;

/// What a search has seen
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    /// Sequences of events that were carried out
    pub tried: usize,
    /// States that differ
    pub states: usize,
    /// States from which no new one was found at the greatest depth
    pub open: usize,
}

/// How a failure is repeated
struct Repeat<'a, M: Machine>(M::Start, &'a [M::Event], &'static str);

impl<M: Machine> Drop for Repeat<'_, M> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("from {:?}, {}: {:?}", self.0, self.2, self.1);
        }
    }
}

/// Carries out every sequence of up to `depth` events from every start
///
/// Of sequences that lead to the same state only the first `kept` are continued.
pub fn explore<M: Machine>(name: &str, starts: &[M::Start], depth: usize, kept: usize) {
    let began = std::time::Instant::now();
    for start in starts {
        let counts = from::<M>(*start, depth, kept);
        let Counts { tried, states, open } = counts;
        let seconds = began.elapsed().as_secs_f32();
        let all = (M::alphabet().len() as u128).pow(depth as u32);
        println!(
            "{name} from {start:?}: {tried} sequences tried for {all} of {depth} events, {states} states, {open} not continued, after {seconds:.1} s"
        );
    }
}

fn from<M: Machine>(start: M::Start, depth: usize, kept: usize) -> Counts {
    let alphabet = M::alphabet();
    let mut counts = Counts::default();
    let mut seen = HashMap::from([(M::start(start).key(), 1)]);
    let mut frontier: Vec<Vec<M::Event>> = vec![Vec::new()];
    for _ in 0..depth {
        let mut next = Vec::new();
        for prefix in &frontier {
            for event in &alphabet {
                let sequence = [&prefix[..], &[*event]].concat();
                let Some((key, goes_on)) = try_out::<M>(start, &sequence) else { continue };
                counts.tried += 1;
                let times = seen.entry(key).or_insert(0);
                *times += 1;
                if *times == 1 {
                    experiments::<M>(start, &sequence);
                }
                if *times <= kept && goes_on {
                    next.push(sequence);
                }
            }
        }
        frontier = next;
    }
    counts.states = seen.len();
    counts.open = frontier.len();
    counts
}

fn replay<M: Machine>(start: M::Start, sequence: &[M::Event]) -> Option<M> {
    let mut machine = M::start(start);
    sequence.iter().all(|event| machine.apply(*event)).then_some(machine)
}

fn try_out<M: Machine>(start: M::Start, sequence: &[M::Event]) -> Option<(u64, bool)> {
    let _repeat = Repeat::<M>(start, sequence, "after");
    let machine = replay::<M>(start, sequence)?;
    let goes_on = machine.goes_on();
    Some((machine.key(), goes_on))
}

fn experiments<M: Machine>(start: M::Start, sequence: &[M::Event]) {
    let _repeat = Repeat::<M>(start, sequence, "in an experiment after");
    let again = || replay::<M>(start, sequence).expect("it was carried out before");
    let first = again();
    // Deep in the search only the cheap ones.
    let experiments = first.experiments().min(if sequence.len() > DEAR { CHEAP } else { usize::MAX });
    first.experiment(0);
    (1..experiments).for_each(|number| again().experiment(number));
}
