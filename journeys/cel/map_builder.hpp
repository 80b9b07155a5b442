/// Collects the entries of a new map in an arena.
#pragma once

#include "journeys/cel/compare.hpp"
#include "journeys/cel/value.hpp"

namespace journeys::cel {

/// Room for `most` entries is taken at once.
class MapBuilder {
public:
    MapBuilder(std::size_t most, Arena& arena)
        : entries_(arena.allocate_array<Value>(2 * most)), most_(most) {}

    /// null, or the error: a key of a wrong kind, one given twice, no room.
    Value add(Value key, Value value, Budget& budget) {
        if (key.is_error()) return key;
        if (value.is_error()) return value;
        if (entries_ == nullptr || count_ >= most_) return Value::error(too_large_result);
        const bool is_key = key.is(Kind::boolean) || key.is(Kind::integer) ||
                            key.is(Kind::unsigned_integer) || key.is(Kind::string);
        if (!is_key) return Value::error("keys of a map are bool, int, uint or string");
        if (!budget.charge(1 + count_ / 8)) return Value::error(out_of_steps);
        for (std::size_t i = 0; i < count_; ++i) {
            if (same_scalar(entries_[2 * i], key)) return Value::error("a key is given twice");
        }
        entries_[2 * count_] = key;
        entries_[2 * count_ + 1] = value;
        ++count_;
        return Value::null();
    }
    Value take() const {
        if (entries_ == nullptr) return Value::error(too_large_result);
        return Value::map_of({entries_, 2 * count_});
    }

private:
    Value* entries_;
    std::size_t most_;
    std::size_t count_ = 0;
};

} // namespace journeys::cel
