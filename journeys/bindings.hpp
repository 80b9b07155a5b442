/// The host's records for expressions: which fields a customer, a cart, a run … shows, and how each
/// is read. One table per record gives name, type, documentation and reader, so they cannot
/// disagree.
#pragma once

#include "journeys/cel/environment.hpp"
#include "journeys/cel/value.hpp"
#include "journeys/environment.hpp"

#include <new>
#include <string>
#include <utility>
#include <vector>

namespace journeys::bindings {

template <class Record> struct FieldTable {
    using Read = cel::Value (*)(const Record&, const View&, cel::Arena&);
    struct Row {
        std::string name;
        cel::Type type;
        std::string doc;
        Read read;
        cel::Storage storage = {}; ///< See `lying`.
    };
    FieldTable(std::string name, std::string doc, const std::vector<Row>& rows) {
        type.name = std::move(name);
        type.doc = std::move(doc);
        for (const auto& row : rows) {
            type.fields.push_back({row.name, row.type, row.doc, row.storage});
            readers.push_back(row.read);
        }
    }
    cel::ObjectType type;
    std::vector<Read> readers; ///< One for each field.
};

/// The table of a record; specialised in bindings.cpp.
template <class Record> const FieldTable<Record>& table();

/// A record as an expression sees it. Borrows both; lives in an arena or an evaluator. It keeps the
/// readers at hand: to ask the table for them cost a fifth of a condition over a cart.
template <class Record> class BoundRecord final : public cel::Object {
public:
    BoundRecord(const Record& record, const View& view, const FieldTable<Record>& fields)
        : Object(&record), readers_(fields.readers.data()), view_(&view) {}
    cel::Value field(unsigned index, cel::Arena& arena) const override {
        return readers_[index](*reinterpret_cast<const Record*>(memory), *view_, arena);
    }
    const cel::ObjectType& object_type() const override { return table<Record>().type; }

private:
    const typename FieldTable<Record>::Read* readers_;
    const View* view_;
};

/// Made in the arena; an error value where the arena is full. Its destructor has nothing to do and
/// never runs.
template <class Record> cel::Value bind(const Record& record, const View& view, cel::Arena& arena) {
    void* const place = arena.allocate(sizeof(BoundRecord<Record>));
    if (!place) return cel::Value::error("the expression needs too much memory");
    return cel::Value::object(::new (place) BoundRecord<Record>(record, view, table<Record>()));
}

/// `run.event` and `run.last_event`: what the run kept of an event, packed.
struct StoredEvent {
    PackedView packed;
};

/// `product(id)`: a product as the catalogue has it now.
struct StoredProduct {
    PackedView packed;
};

/// The cart that an expression means: the run's own, else the one changed last; an empty one where
/// there is none.
const Cart& cart_in_view(const View& view);

std::vector<const cel::ObjectType*> all_types();

} // namespace journeys::bindings
