#include "journeys/record.hpp"

namespace journeys {
namespace {

struct KindOf {
    RecordKind operator()(const Event&) const { return RecordKind::event; }
    RecordKind operator()(const Publish&) const { return RecordKind::publish; }
    RecordKind operator()(const Link&) const { return RecordKind::link; }
    RecordKind operator()(const Transfer&) const { return RecordKind::transfer; }
    RecordKind operator()(const Settled&) const { return RecordKind::settled; }
    RecordKind operator()(const Erasure&) const { return RecordKind::erasure; }
    RecordKind operator()(const Unreadable& unreadable) const { return unreadable.kind; }
};

} // namespace

RecordKind Record::kind() const {
    const auto kind = std::visit(KindOf{}, body);
    return kind == RecordKind::event && forwarded_from != 0 ? RecordKind::forward : kind;
}

} // namespace journeys
