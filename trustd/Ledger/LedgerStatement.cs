using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Talos.Trustd.Ledger;

/// <summary>A statement that is parsed once and run for every certificate: values go to SQLite as they are, without an object for each.</summary>
sealed class LedgerStatement : IDisposable
{
    readonly sqlite3 database;
    readonly sqlite3_stmt statement;

    /// <exception cref="SqliteException">The statement is none.</exception>
    public LedgerStatement(SqliteConnection connection, string sql)
    {
        database = connection.Handle ?? throw new InvalidOperationException("the connection is not open");
        Check(raw.sqlite3_prepare_v3(database, sql, raw.SQLITE_PREPARE_PERSISTENT, out statement));
    }

    // Parameters count from 1.
    public void Bind(int parameter, long value) => Check(raw.sqlite3_bind_int64(statement, parameter, value));

    public void Bind(int parameter, string value) => Check(raw.sqlite3_bind_text(statement, parameter, value));

    public void Bind(int parameter, ReadOnlySpan<byte> value) => Check(raw.sqlite3_bind_blob(statement, parameter, value));

    public void BindNull(int parameter) => Check(raw.sqlite3_bind_null(statement, parameter));

    /// <exception cref="SqliteException">It failed; what it changed is undone.</exception>
    public void Run() => ReadInteger();

    /// <summary>The first column of the first row; null when there is no row.</summary>
    /// <inheritdoc cref="Run"/>
    public long? ReadInteger()
    {
        var code = raw.sqlite3_step(statement);
        long? value = code == raw.SQLITE_ROW ? raw.sqlite3_column_int64(statement, 0) : null;
        if (code is raw.SQLITE_ROW or raw.SQLITE_DONE)
        {
            raw.sqlite3_reset(statement);
            return value;
        }
        try
        {
            SqliteException.ThrowExceptionForRC(code, database);
        }
        finally
        {
            raw.sqlite3_reset(statement);
        }
        return null;
    }

    void Check(int code) => SqliteException.ThrowExceptionForRC(code, database);

    public void Dispose() => statement.Dispose();
}
