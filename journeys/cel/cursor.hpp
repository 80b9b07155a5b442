/// Walks lists and maps of every form in one pass.
#pragma once

#include "journeys/cel/value.hpp"

namespace journeys::cel {

/// Usage: `for (Cursor at{range, arena}; at.next();) use(at.key(), at.value());`
class Cursor {
public:
    /// `range` is a list or a map; anything else counts as empty.
    Cursor(Value range, Arena& arena)
        : range_(range), arena_(arena),
          left_(range.is(Kind::list) || range.is(Kind::map) ? range.size() : 0),
          entry_(range.form() == Value::Form::packed ? range.packed().entries().begin()
                                                     : PackedView::Iterator{nullptr, 0, false}) {}

    bool next() {
        if (left_ == 0) return false;
        --left_;
        if (started_ && range_.form() == Value::Form::packed) ++entry_;
        index_ += started_ ? 1 : 0;
        started_ = true;
        return true;
    }
    /// A map's key, a list's index.
    Value key() const {
        if (range_.is(Kind::list)) return Value::integer(static_cast<std::int64_t>(index_));
        switch (range_.form()) {
        case Value::Form::array: return range_.items()[2 * index_];
        case Value::Form::packed: return Value::string((*entry_).first);
        case Value::Form::host: return range_.host_map()->key_at(index_, arena_);
        case Value::Form::scalar: break;
        }
        return {};
    }
    Value value() const {
        const bool is_list = range_.is(Kind::list);
        switch (range_.form()) {
        case Value::Form::array: return range_.items()[is_list ? index_ : 2 * index_ + 1];
        case Value::Form::packed: return Value::packed((*entry_).second);
        case Value::Form::host: {
            if (is_list) return range_.host_list()->at(index_, arena_);
            Value found;
            range_.host_map()->find(key(), found, arena_);
            return found;
        }
        case Value::Form::scalar: break;
        }
        return {};
    }

private:
    Value range_;
    Arena& arena_;
    std::size_t left_;
    std::size_t index_ = 0;
    bool started_ = false;
    PackedView::Iterator entry_;
};

} // namespace journeys::cel
