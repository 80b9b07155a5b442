#include "journeys/effect.hpp"

namespace journeys {
namespace {

constexpr std::string_view name_of(EntryKind kind) {
    switch (kind) {
    case EntryKind::enter: return "enter";
    case EntryKind::no_entry: return "no_entry";
    case EntryKind::exit: return "exit";
    case EntryKind::end: return "end";
    case EntryKind::wait: return "wait";
    case EntryKind::restart: return "restart";
    case EntryKind::send: return "send";
    case EntryKind::defer: return "defer";
    case EntryKind::suppress: return "suppress";
    case EntryKind::settle: return "settle";
    case EntryKind::decide: return "decide";
    case EntryKind::reward: return "reward";
    case EntryKind::take_back: return "take_back";
    case EntryKind::update: return "update";
    case EntryKind::call: return "call";
    case EntryKind::goal: return "goal";
    case EntryKind::consent: return "consent";
    case EntryKind::stage: return "stage";
    case EntryKind::linked: return "linked";
    case EntryKind::merged: return "merged";
    case EntryKind::moved: return "moved";
    }
    return "";
}

static_assert(is_whole<EntryKind>(all_entry_kinds, name_of));

} // namespace

std::string_view to_text(EntryKind kind) { return name_of(kind); }

} // namespace journeys
