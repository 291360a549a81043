using System.Collections.Concurrent;

namespace Gatehouse;

/// <summary>
/// Remembers what was used lately in two generations: the young one takes what is used, and when it is full it becomes the
/// old one and the old one is forgotten. Reads take no lock; there are never more values than the limit.
/// </summary>
public sealed class RecentCache<TKey, TValue>(int limit)
    where TKey : notnull
    where TValue : class
{
    private readonly int half = Math.Max(1, limit / 2);
    private readonly Lock gate = new();
    private volatile Generations generations = new(new(), new());

    /// <summary>How many values are held.</summary>
    public int Count => generations is var g ? g.Young.Count + g.Old.Count : 0;

    /// <summary>The value of a key, or null.</summary>
    public TValue? Find(TKey key)
    {
        var now = generations;
        if (now.Young.TryGetValue(key, out var value))
        {
            return value;
        }

        if (now.Old.TryGetValue(key, out value))
        {
            Add(key, value);
        }

        return value;
    }

    /// <summary>Remembers a value; a later one for the same key takes its place.</summary>
    public void Add(TKey key, TValue value)
    {
        while (true)
        {
            var now = generations;
            if (now.Young.ContainsKey(key) || now.TryReserve(half))
            {
                now.Young[key] = value;
                return;
            }

            lock (gate)
            {
                if (ReferenceEquals(generations, now))
                {
                    generations = new Generations(new(), now.Young);
                }
            }
        }
    }

    private sealed class Generations(ConcurrentDictionary<TKey, TValue> young, ConcurrentDictionary<TKey, TValue> old)
    {
        // Counted apart: the dictionary's own count takes all its locks.
        private int reserved;

        public ConcurrentDictionary<TKey, TValue> Young => young;

        public ConcurrentDictionary<TKey, TValue> Old => old;

        public bool TryReserve(int most) => Interlocked.Increment(ref reserved) <= most;
    }
}
