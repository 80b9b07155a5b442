/// What live alone decides, noted so that the reference run can decide the same: when timers fired
/// and when channels were answered. And the table of rules by which it is noted.
#pragma once

#include "actors/rules.hpp"
#include "tests/simulation/world.hpp"

#include <map>
#include <optional>
#include <set>
#include <vector>

namespace simulation {

/// One transition that no record made.
struct Transition {
    enum class Kind { fire, hand_over } kind = Kind::fire;
    IntentId intent;                        ///< Of a hand-over.
    Timestamp at{};                         ///< `closed`, or the instant of the hand-over.
    std::uint64_t publication = 0;          ///< That decided.
    std::uint64_t applied = 0;              ///< The customer's newest record by then.
    std::uint64_t before = 0, revision = 0; ///< The customer's before and behind it.
};

class History {
public:
    explicit History(World& world) : world_(world) {}

    /// The product's rules, noting; with a mutant of the rules, its bug.
    static actors::Rules rules();
    /// While it lives, whatever rules are called are called by `process`.
    class Running {
    public:
        Running(History& history, const Process* process);
        ~Running();
    };

    void note(const CustomerId& customer, const Transition& transition);
    /// A snapshot of this revision is stored: so are the transitions up to it.
    void committed(const Process* process, const CustomerId& customer, std::uint64_t revision);
    const std::vector<Transition>& of(const CustomerId& customer) const;

    /// What a customer last said to a channel that was about to write the request.
    void said(IntentId intent, bool is_granted);
    /// The answer, once: a request needs one of its own.
    std::optional<bool> last_word(const Process* process, IntentId intent);

    World& world() { return world_; }
    const Process* process() const { return process_; }

private:
    World& world_;
    const Process* process_ = nullptr;
    std::map<const Process*, std::map<CustomerId, std::vector<Transition>>> open_;
    std::map<CustomerId, std::vector<Transition>> committed_;
    std::map<std::pair<const Process*, IntentId>, bool> words_;
};

/// The product's rules with the mutant's bug, for live and reference run alike: only what knows
/// nothing of the rules can tell.
actors::Rules rules_with(Mutant mutant);

} // namespace simulation
